import { createSecureContext, type SecureContextOptions } from "node:tls";
import { type CertificatePair, QuicError } from "@runtara/quic";

/** @throws QuicError CERTIFICATE_INVALID */
export function checkCertificate({ certPem, keyPem }: CertificatePair, caPem: string | undefined): void {
  checkPem("the certificate", certPem);
  checkPem("the private key", keyPem);
  if (caPem !== undefined) checkPem("caPem", caPem);
  try {
    createSecureContext({ cert: certPem, key: keyPem, ...(caPem === undefined ? {} : { ca: caPem }) });
  } catch (cause) {
    throw invalid("certificate and key cannot be used", cause);
  }
}

/** @throws QuicError CERTIFICATE_INVALID */
export function secureContext(options: SecureContextOptions): ReturnType<typeof createSecureContext> {
  try {
    return createSecureContext(options);
  } catch (cause) {
    throw invalid("the certificates cannot be used", cause);
  }
}

/** Node takes a text without a certificate for an empty list. @throws QuicError CERTIFICATE_INVALID */
export function checkPem(what: string, text: string): void {
  if (!text.includes("-----BEGIN ")) {
    throw new QuicError("CERTIFICATE_INVALID", `${what} holds no PEM block; give the text of a PEM file`);
  }
}

function invalid(what: string, cause: unknown): QuicError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new QuicError("CERTIFICATE_INVALID", `${what}: ${reason}`, { cause });
}
