import { limits } from "../../limits.ts";
import { type FrameBounds, type FrameRead, headerFault } from "../frame-bounds.ts";

const noBytes: Uint8Array = new Uint8Array(0);

/**
 * The first frame of a stream, out of pieces as they come. Type and length are judged before anything is kept for the
 * payload, and what is kept grows with the bytes that come. Pure.
 */
export class FrameReader {
  /** The frame, or what is wrong with it; undefined as long as more is needed. */
  read: FrameRead | undefined;
  /** What came behind the frame in its last piece. */
  rest: Uint8Array = noBytes;
  readonly #bounds: FrameBounds;
  #header = noBytes;
  #type = 0;
  /** Of the payload; undefined before the header is whole. */
  #length: number | undefined;
  #payload = noBytes;
  #filled = 0;

  constructor(bounds: FrameBounds) {
    this.#bounds = bounds;
  }

  get receivedBytes(): number {
    return this.#header.length + this.#filled;
  }

  /** Length of the payload, once it is known; the frame may still be refused room. */
  get payloadBytes(): number | undefined {
    return this.#length;
  }

  /** Takes the next piece. Returns whether `read` is set now. */
  push(piece: Uint8Array): boolean {
    let bytes = piece;
    if (this.#length === undefined) {
      const missing = limits.frameHeaderBytes - this.#header.length;
      const isFirst = this.#header.length === 0;
      this.#header = isFirst ? bytes.subarray(0, missing) : Buffer.concat([this.#header, bytes.subarray(0, missing)]);
      if (this.#header.length < limits.frameHeaderBytes) return false;
      this.#readHeader();
      if (this.read !== undefined) return true;
      bytes = bytes.subarray(missing);
    }
    return this.#take(bytes);
  }

  /** The stream has ended. */
  end(): void {
    this.read ??= { fault: "FRAME_TRUNCATED", detail: this.receivedBytes };
  }

  #readHeader(): void {
    const { buffer, byteOffset } = this.#header;
    const view = new DataView(buffer, byteOffset, limits.frameHeaderBytes);
    const length = view.getUint32(0);
    this.#type = view.getUint16(4);
    this.read = headerFault(this.#bounds, this.#type, length);
    if (this.read === undefined) this.#length = length;
  }

  #take(bytes: Uint8Array): boolean {
    const length = this.#length ?? 0;
    const taken = bytes.subarray(0, length - this.#filled);
    // The usual frame comes in one piece and is not copied.
    if (taken.length === length) this.#payload = taken;
    else this.#keep(taken, length);
    this.#filled += taken.length;
    if (this.#filled < length) return false;
    this.rest = bytes.subarray(taken.length);
    this.read = { type: this.#type, payload: this.#payload };
    return true;
  }

  #keep(taken: Uint8Array, length: number): void {
    const needed = this.#filled + taken.length;
    if (needed > this.#payload.length) {
      const size = Math.min(length, Math.max(needed, limits.http2SmallFrameBytes, this.#payload.length * 2));
      const grown = Buffer.allocUnsafeSlow(size);
      grown.set(this.#payload.subarray(0, this.#filled));
      this.#payload = grown;
    }
    this.#payload.set(taken, this.#filled);
  }
}
