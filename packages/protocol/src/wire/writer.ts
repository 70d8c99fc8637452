import { limits } from "../limits.ts";

/** Strings up to this length are written by a loop, which is faster than the call into native code. */
const shortText = 16;

export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);

export function varint64Size(value: bigint): number {
  let size = 1;
  for (let rest = u64(value); rest > 0x7fn; rest >>= 7n) size++;
  return size;
}

/**
 * Lengths of texts and nested messages, found by the first pass over a message and used by the second one in the same
 * order. So nothing is measured twice, and no length prefix has to move.
 */
export class Sizes {
  readonly #lengths: number[] = [];
  #count = 0;
  #next = 0;

  clear(): void {
    if (this.#lengths.length > limits.sizesKeptMax) this.#lengths.length = 0;
    this.#count = 0;
    this.#next = 0;
  }

  add(length: number): void {
    this.#lengths[this.#count++] = length;
  }

  /** A place for a length that is known only after those inside it. */
  reserve(): number {
    this.#lengths[this.#count] = 0;
    return this.#count++;
  }

  fill(place: number, length: number): void {
    this.#lengths[place] = length;
  }

  next(): number {
    return this.#lengths[this.#next++] ?? 0;
  }
}

/** Writes protobuf's wire format into a buffer that has exactly the right size. */
export class Writer {
  readonly bytes: Buffer;
  readonly sizes: Sizes;
  #pos = 0;

  constructor(size: number, sizes: Sizes) {
    this.bytes = Buffer.allocUnsafe(size);
    this.sizes = sizes;
  }

  /** An unsigned 32-bit number. */
  varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.bytes[this.#pos++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.#pos++] = rest;
  }

  /** A signed or unsigned 64-bit number; negative ones as two's complement. */
  varint64(value: bigint): void {
    let rest = u64(value);
    while (rest > 0x7fn) {
      this.bytes[this.#pos++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.bytes[this.#pos++] = Number(rest);
  }

  double(value: number): void {
    this.#pos = this.bytes.writeDoubleLE(value, this.#pos);
  }

  raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.#pos);
    this.#pos += bytes.length;
  }

  /** Text of `byteLength` bytes in UTF-8; lone surrogates become U+FFFD. */
  text(text: string, byteLength: number): void {
    if (byteLength === text.length && byteLength <= shortText) {
      for (let i = 0; i < byteLength; i++) this.bytes[this.#pos + i] = text.charCodeAt(i);
    } else {
      this.bytes.write(text, this.#pos, byteLength, byteLength === text.length ? "latin1" : "utf8");
    }
    this.#pos += byteLength;
  }
}
