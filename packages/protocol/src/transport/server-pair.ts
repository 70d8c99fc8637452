import { type CertificatePair, generateSelfSigned, QuicError } from "@runtara/quic";

/** The pair to show. @throws QuicError ADDON_MISSING where only the addon could make one */
export function serverPair(certificate: CertificatePair | "self-signed"): CertificatePair {
  if (certificate !== "self-signed") return certificate;
  try {
    return generateSelfSigned();
  } catch (cause) {
    if (!(cause instanceof QuicError && cause.code === "ADDON_MISSING")) throw cause;
    const message =
      "no certificate is configured, and one can be made only with the QUIC addon, which is missing here; " +
      "set RUNTARA_TLS_CERT_FILE and RUNTARA_TLS_KEY_FILE to PEM files";
    throw new QuicError("ADDON_MISSING", message, { cause });
  }
}
