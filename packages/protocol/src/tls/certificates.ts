import { type CertificateOptions, type CertificatePair, generateCertificate as generate } from "@runtara/quic";
import { fromQuicError } from "../quic-errors.ts";

export type { CertificateOptions, CertificatePair };

/**
 * A fresh ECDSA P-256 certificate with its PKCS#8 key, valid from an hour ago, signed by `issuer` or else by itself.
 *
 * @throws ProtocolError CERTIFICATE_INVALID: a name, a date or the issuer cannot be used; ADDON_MISSING
 */
export function generateCertificate(options: CertificateOptions): CertificatePair {
  try {
    return generate(options);
  } catch (error) {
    throw fromQuicError(error);
  }
}
