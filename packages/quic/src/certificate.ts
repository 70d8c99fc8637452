import { QuicError } from "./errors.ts";
import { native } from "./native.ts";

/**
 * A fresh self-signed ECDSA P-256 certificate with its PKCS#8 key. Names that are IP addresses become address entries.
 * Default names: localhost, 127.0.0.1, ::1.
 *
 * @throws QuicError CERTIFICATE_INVALID, ADDON_MISSING
 */
export function generateSelfSigned(options: { readonly names?: string[] } = {}): { certPem: string; keyPem: string } {
  const names = options.names ?? ["localhost", "127.0.0.1", "::1"];
  const addon = native();
  try {
    const [certPem, keyPem] = addon.generateSelfSigned(names);
    return { certPem, keyPem };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new QuicError("CERTIFICATE_INVALID", `no certificate for ${names.join(", ")}: ${reason}`, { cause });
  }
}
