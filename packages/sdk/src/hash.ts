import type { Hash } from "node:crypto";

/** SHA-256 of a text's UTF-8 bytes. node:crypto is loaded by the first call, so that importing this package loads nothing. */
export function sha256(text: string): Uint8Array {
  const { createHash } = process.getBuiltinModule("node:crypto");
  const hash: Hash = createHash("sha256");
  return hash.update(text).digest();
}

/** A UUID (version 8, RFC 9562 5.8) made of the first bits of the text's SHA-256: the same text gives the same UUID. */
export function uuidOf(text: string): string {
  return formatUuid(sha256(text).slice(0, 16), 8);
}

/** 16 bytes as a UUID of the given version; sets the version and variant bits in place. */
export function formatUuid(bytes: Uint8Array, version: number): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | (version << 4);
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
