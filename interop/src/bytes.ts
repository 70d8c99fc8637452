// SPDX-License-Identifier: AGPL-3.0-or-later
// Byte patterns and hexadecimal text, as the Rust peers make and print them.

/** `length` bytes in which a shift, a swap or a cut shows: byte i is (i × 31 + ⌊i / 256⌋) mod 256. */
export function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 255;
  return bytes;
}

/** Lower-case hexadecimal of bytes, or of a text's UTF-8. */
export function hex(bytes: Uint8Array | string): string {
  return (typeof bytes === "string" ? Buffer.from(bytes) : Buffer.from(bytes)).toString("hex");
}

export function utf8(text: string): Uint8Array {
  return Buffer.from(text);
}

/** Equal length and content; says nothing about where, because 60 MiB are no use in a diff. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
