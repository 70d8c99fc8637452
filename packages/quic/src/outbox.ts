import { limits } from "./limits.ts";
import { commandWords, type Handle, type Native, offsetLarge } from "./native.ts";

const headerBytes = 6;

/** Below this a loop copies faster than a call of `set`. */
const loopCopyBytesMax = 32;

/** Collects the commands of one tick and hands them over in one native call. */
export class Outbox {
  readonly #native: Native;
  readonly #flushLater: () => void;
  #handle: Handle | undefined;
  #records: Uint32Array = new Uint32Array(limits.commandsInitial * commandWords);
  #count = 0;
  #slab: Uint8Array = new Uint8Array(limits.slabBytesInitial);
  #used = 0;
  #large: Uint8Array[] = [];
  #largeBytes = 0;
  #isScheduled = false;

  constructor(native: Native) {
    this.#native = native;
    this.#flushLater = () => {
      this.#isScheduled = false;
      this.flush();
    };
  }

  /** From here on commands go somewhere; before and after they are dropped. */
  attach(handle: Handle | undefined): void {
    this.#handle = handle;
  }

  /** A command with a frame: header and payload. Payloads too large for the slab are read when the batch is flushed. */
  frame(operation: number, subject: number, type: number, payload: Uint8Array): void {
    const length = payload.length;
    if (length > limits.slabValueBytesMax) {
      this.#keep(payload);
      this.#record(operation, subject, offsetLarge, length, type, 0);
      return;
    }
    const start = this.#reserve(headerBytes + length);
    const slab = this.#slab;
    slab[start] = length >>> 24;
    slab[start + 1] = length >>> 16;
    slab[start + 2] = length >>> 8;
    slab[start + 3] = length;
    slab[start + 4] = type >>> 8;
    slab[start + 5] = type;
    this.#copy(payload, start + headerBytes);
    this.#record(operation, subject, start, headerBytes + length, type, 0);
  }

  /** A command with bytes as they are. */
  bytes(operation: number, subject: number, bytes: Uint8Array, low = 0, high = 0): void {
    if (bytes.length > limits.slabValueBytesMax) {
      this.#keep(bytes);
      this.#record(operation, subject, offsetLarge, bytes.length, low, high);
      return;
    }
    const start = this.#reserve(bytes.length);
    this.#copy(bytes, start);
    this.#record(operation, subject, start, bytes.length, low, high);
  }

  /** A command that is only numbers. */
  plain(operation: number, subject: number, low = 0, high = 0): void {
    this.#record(operation, subject, 0, 0, low, high);
  }

  /** Hands over what has gathered. */
  flush(): void {
    if (this.#count === 0) return;
    const large = this.#large.length === 0 ? null : this.#large;
    const count = this.#count;
    const used = this.#used;
    this.#count = 0;
    this.#used = 0;
    if (large !== null) this.#large = [];
    this.#largeBytes = 0;
    if (this.#handle === undefined) return;
    this.#native.endpointSubmit(this.#handle, this.#records, count, this.#slab, used, large);
  }

  #record(operation: number, subject: number, offset: number, length: number, low: number, high: number): void {
    const at = this.#count * commandWords;
    if (at === this.#records.length) {
      const grown = new Uint32Array(at * 2);
      grown.set(this.#records);
      this.#records = grown;
    }
    const records = this.#records;
    records[at] = operation;
    records[at + 1] = subject;
    records[at + 2] = offset;
    records[at + 3] = length;
    records[at + 4] = low;
    records[at + 5] = high;
    this.#count++;
    if (this.#used >= limits.submitBytesMax || this.#largeBytes >= limits.submitLargeBytesMax) this.flush();
    else if (!this.#isScheduled) {
      this.#isScheduled = true;
      // After the microtasks, so that everything this tick starts goes in one batch.
      process.nextTick(this.#flushLater);
    }
  }

  /** Until the flush. */
  #keep(bytes: Uint8Array): void {
    this.#large.push(bytes);
    this.#largeBytes += bytes.length;
  }

  #reserve(bytes: number): number {
    const start = this.#used;
    const end = start + bytes;
    if (end > this.#slab.length) {
      const grown = new Uint8Array(Math.max(end, this.#slab.length * 2));
      grown.set(this.#slab.subarray(0, start));
      this.#slab = grown;
    }
    this.#used = end;
    return start;
  }

  #copy(source: Uint8Array, at: number): void {
    const length = source.length;
    const slab = this.#slab;
    if (length > loopCopyBytesMax) {
      slab.set(source, at);
      return;
    }
    for (let i = 0; i < length; i++) slab[at + i] = source[i] as number;
  }
}
