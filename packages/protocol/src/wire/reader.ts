import { ProtocolError } from "../errors.ts";
import { limits } from "../limits.ts";

/** Protobuf wire types that proto3 uses. Groups (3 and 4) only occur in fields nobody here knows. */
export const wireType = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const;

/** Up to this length a loop is faster than the call into native code (measured: 15 ns against 130 ns for one letter). */
const shortText = 8;
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
// Buffer's method works on any Uint8Array and needs no view of the range; it is in Node's typings only on Buffer.
const utf8Slice = (Buffer.prototype as unknown as { utf8Slice(this: Uint8Array, from: number, to: number): string })
  .utf8Slice;

/**
 * Reads protobuf's wire format strictly: nothing is read past the end of the enclosing message, and every malformed
 * byte is an error with the name of the field at hand. (The library's own reader trusts lengths inside the buffer and
 * the wire types of known fields, so it would take some garbage for data.)
 */
export class Reader {
  readonly bytes: Uint8Array;
  pos = 0;
  /** End of the message being read. Never beyond `bytes`. */
  end: number;
  depth = 0;
  /** Nested messages and map entries so far. */
  nestedMessages = 0;
  /** For error texts: what is being read. */
  at = "the payload";

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.end = bytes.length;
  }

  fail(reason: string): never {
    throw new ProtocolError("DECODE_FAILED", `protobuf decode error: ${this.at}: ${reason}`);
  }

  /** The next tag: field number << 3 | wire type, as an unsigned 32-bit number. */
  tag(): number {
    const first = this.bytes[this.pos] ?? 0;
    if (first < 0x80 && this.pos < this.end) {
      this.pos++;
      if (first < 8) this.fail("field number 0");
      return first;
    }
    const tag = this.#varint();
    if (tag > 0xffff_ffff) this.fail("field number over 536870911");
    if (tag < 8) this.fail("field number 0");
    return tag;
  }

  /** Length of a string, bytes or message; what it spans is inside the enclosing message. */
  length(): number {
    const first = this.bytes[this.pos] ?? 0;
    let length = first;
    if (first < 0x80 && this.pos < this.end) this.pos++;
    else length = this.#varint();
    if (length > this.end - this.pos) this.fail(`length ${length}, but only ${this.end - this.pos} bytes are left`);
    return length;
  }

  /** Length of a nested message or map entry. */
  nestedLength(): number {
    this.countItem();
    return this.length();
  }

  /** Before each nested message, map entry and list item: there is a limit to how many one payload may hold. */
  countItem(): void {
    if (++this.nestedMessages > limits.nestedMessagesMax) {
      this.fail(`more than ${limits.nestedMessagesMax} nested messages and list items; send them in several requests`);
    }
  }

  string(): string {
    const length = this.length();
    const from = this.pos;
    const to = from + length;
    this.pos = to;
    if (length <= shortText) {
      let text = "";
      let i = from;
      for (; i < to; i++) {
        const byte = this.bytes[i] ?? 0;
        if (byte > 0x7f) break;
        text += String.fromCharCode(byte);
      }
      if (i === to) return text;
    }
    const text = utf8Slice.call(this.bytes, from, to);
    // A replacement character was either sent as such or stands for bytes that are not UTF-8.
    return text.includes("\uFFFD") ? this.#strictText(from, to) : text;
  }

  #strictText(from: number, to: number): string {
    try {
      return strictUtf8.decode(this.bytes.subarray(from, to));
    } catch {
      return this.fail("not valid UTF-8");
    }
  }

  /** A view of the input, not a copy. */
  bytesView(): Uint8Array {
    const length = this.length();
    const from = this.pos;
    this.pos += length;
    return this.bytes.subarray(from, this.pos);
  }

  bool(): boolean {
    return this.#varint() !== 0;
  }

  /** Wider values are cut to their low 32 bits, as protobuf says. */
  uint32(): number {
    const value = this.#varint();
    if (value <= 0xffff_ffff) return value;
    return value <= Number.MAX_SAFE_INTEGER ? value % 2 ** 32 : Number(BigInt.asUintN(32, this.#bits));
  }

  int32(): number {
    return this.uint32() | 0;
  }

  uint64(): bigint {
    const value = this.#varint();
    return value <= Number.MAX_SAFE_INTEGER ? BigInt(value) : this.#bits;
  }

  int64(): bigint {
    const value = this.#varint();
    return value <= Number.MAX_SAFE_INTEGER ? BigInt(value) : BigInt.asIntN(64, this.#bits);
  }

  double(): number {
    if (this.end - this.pos < 8) this.fail("cut off");
    const { buffer, byteOffset } = this.bytes;
    const value = new DataView(buffer, byteOffset + this.pos, 8).getFloat64(0, true);
    this.pos += 8;
    return value;
  }

  /** Passes over the value of an unknown field. */
  skip(tag: number, depth: number = this.depth): void {
    switch (tag & 7) {
      case wireType.varint:
        this.#varint();
        return;
      case wireType.fixed64:
        this.#skipBytes(8);
        return;
      case wireType.bytes:
        this.#skipBytes(this.length());
        return;
      case wireType.fixed32:
        this.#skipBytes(4);
        return;
      case wireType.startGroup:
        this.#skipGroup(tag, depth + 1);
        return;
      default:
        this.fail(`wire type ${tag & 7} has no meaning here`);
    }
  }

  #skipGroup(start: number, depth: number): void {
    if (depth > limits.nestingMax) this.fail(`nested deeper than ${limits.nestingMax}`);
    for (;;) {
      const tag = this.tag();
      if ((tag & 7) !== wireType.endGroup) this.skip(tag, depth);
      else if (tag >>> 3 === start >>> 3) return;
      else this.fail("group ends with another field's number");
    }
  }

  #skipBytes(count: number): void {
    if (this.end - this.pos < count) this.fail("cut off");
    this.pos += count;
  }

  /** The last varint in full, valid when its number was not safe. */
  #bits = 0n;

  /** A varint as a number; beyond 2^53 the number is only an upper bound and `#bits` has the value. */
  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (this.pos >= this.end) this.fail("cut off");
      const byte = this.bytes[this.pos++] ?? 0;
      if (i === 9 && byte > 1) this.fail("varint over 64 bits");
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) this.#bits = this.#wideVarint(i + 1);
        return value;
      }
      scale *= 128;
    }
    return this.fail("varint over 64 bits");
  }

  #wideVarint(length: number): bigint {
    let bits = 0n;
    for (let i = 1; i <= length; i++) bits = (bits << 7n) | BigInt((this.bytes[this.pos - i] ?? 0) & 0x7f);
    return BigInt.asUintN(64, bits);
  }
}
