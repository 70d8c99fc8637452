import { QuicError } from "./errors.ts";

/**
 * How a client checks the server's certificate.
 *
 * - `"skip"`: not at all; any server may answer.
 * - `"roots"`: chain, name and dates, from Mozilla's roots, which the addon carries.
 * - `"system"`: the same from the files that SSL_CERT_FILE and SSL_CERT_DIR name, or else the platform's roots.
 * - `{ caPem }`: the same from these authorities; a self-signed certificate is its own.
 * - `{ fingerprint }`: exactly the certificate with this SHA-256 (64 hexadecimal digits, colons allowed), whatever its
 *   names and dates.
 */
export type Verify = "skip" | "roots" | "system" | { readonly caPem: string } | { readonly fingerprint: string };

/** As the native side takes it. @throws QuicError CERTIFICATE_INVALID */
export function nativeVerify(verify: Verify): string {
  if (typeof verify === "string") return verify;
  if ("caPem" in verify) {
    // Else a text such as "skip" would be taken for a mode.
    if (!verify.caPem.includes("-----BEGIN ")) {
      throw new QuicError("CERTIFICATE_INVALID", "caPem holds no certificate; give the text of a PEM file");
    }
    return verify.caPem;
  }
  const digits = verify.fingerprint.replaceAll(":", "").toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(digits)) {
    const message = `fingerprint ${JSON.stringify(verify.fingerprint)} is not a SHA-256; give 64 hexadecimal digits`;
    throw new QuicError("CERTIFICATE_INVALID", message);
  }
  return `sha256:${digits}`;
}
