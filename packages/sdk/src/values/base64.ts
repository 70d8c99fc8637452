// Buffer where there is one (Node, Bun), atob and btoa elsewhere.

const BufferClass: typeof Buffer | undefined = (globalThis as { Buffer?: typeof Buffer }).Buffer;
const stranger = /[^A-Za-z0-9+/]/;

export function toBase64(bytes: Uint8Array): string {
  if (BufferClass) return BufferClass.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  let binary = "";
  for (let from = 0; from < bytes.length; from += 8192) {
    binary += String.fromCharCode(...bytes.subarray(from, from + 8192));
  }
  return btoa(binary);
}

/** The bytes in memory of their own, or undefined when the text is no base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!isBase64(text)) return undefined;
  // A copy: Buffer.from may hand out a part of a pool, and a typed array must own its buffer.
  if (BufferClass) return new Uint8Array(BufferClass.from(text, "base64"));
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** By what must not be there: an expression for the whole text would run out of stack on one of some megabytes. */
function isBase64(text: string): boolean {
  if (text.length % 4 !== 0) return false;
  const at = text.search(stranger);
  return at < 0 || (at >= text.length - 2 && /^={1,2}$/.test(text.slice(at)));
}
