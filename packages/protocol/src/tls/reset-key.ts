import { hkdfSync } from "node:crypto";
import { limits } from "../limits.ts";
import { privateKey } from "./pair.ts";

/**
 * The `resetKey` of a server (RFC 9000 section 10.3), derived from its private key: so it is the same after a restart, as
 * secret as that key, and nothing more has to be kept. Servers that share a key need different purposes, such as "core",
 * because one could otherwise be used to end the connections of another (RFC 9000 section 21.11).
 *
 * @throws ProtocolError CERTIFICATE_INVALID
 */
export function resetKeyOf(keyPem: string, purpose: string): Uint8Array {
  const secret = privateKey(keyPem, "the text").export({ type: "pkcs8", format: "der" });
  return new Uint8Array(hkdfSync("sha256", secret, "", `runtara stateless reset ${purpose}`, limits.resetKeyBytes));
}
