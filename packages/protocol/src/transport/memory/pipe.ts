import { QuicError } from "@runtara/quic";
import { limits } from "../../limits.ts";

type Side = { readonly is: "open" } | { readonly is: "ended" } | { readonly is: "failed"; readonly error: QuicError };
type Waiter<T> = { readonly resolve: (value: T) => void; readonly reject: (error: QuicError) => void };

const open: Side = { is: "open" };
const ended: Side = { is: "ended" };

/** Hands something to the other end: never at once, always in the order in which it was sent. */
export function deliver(what: () => void): void {
  setImmediate(what);
}

/** One direction of a stream: its writer's and its reader's end. Each end sees what the other did a macrotask later. */
export class Pipe {
  /** The reader will get nothing more, or wants nothing more. */
  onOver: (() => void) | undefined;
  /** The reader has stopped; told to the writer's side. */
  onStopped: (() => void) | undefined;
  #writing: Side = open;
  #reading: Side = open;
  #isOver = false;
  #isStopped = false;
  /** Written and not read yet, on the way or arrived. */
  #unreadBytes = 0;
  #arrived: Uint8Array[] = [];
  #readers: Waiter<Uint8Array | undefined>[] = [];
  #roomWaiters: Waiter<void>[] = [];
  #lastWrite: Promise<void> = Promise.resolve();
  #finish: Promise<void> | undefined;

  get isStopped(): boolean {
    return this.#isStopped;
  }

  write(bytes: Uint8Array): Promise<void> {
    const written = this.#lastWrite.then(() => this.#writePieces(bytes));
    this.#lastWrite = written.catch(() => {});
    return written;
  }

  finish(): Promise<void> {
    this.#finish ??= this.#lastWrite.then(() => {
      if (this.#writing.is === "failed") throw this.#writing.error;
      this.#writing = ended;
      deliver(() => this.#endReading(ended));
    });
    // Whoever does not await it learns of a failure by reading.
    this.#finish.catch(() => {});
    return this.#finish;
  }

  reset(code: number): void {
    if (this.#writing.is !== "open") return;
    this.failWriter(new QuicError("CALL_FINISHED", "the stream was reset here"));
    const error = new QuicError("STREAM_RESET", `stream reset by peer: error ${code}`, { resetCode: BigInt(code) });
    deliver(() => this.#endReading({ is: "failed", error }));
  }

  read(): Promise<Uint8Array | undefined> {
    const chunk = this.#arrived.shift();
    if (chunk !== undefined) {
      this.#makeRoom(chunk.length);
      return Promise.resolve(chunk);
    }
    if (this.#reading.is === "ended") return Promise.resolve(undefined);
    if (this.#reading.is === "failed") return Promise.reject(this.#reading.error);
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  /** Gives back the end of what was just read. */
  putBack(bytes: Uint8Array): void {
    this.#unreadBytes += bytes.length;
    this.#arrived.unshift(bytes);
  }

  stop(code: number): void {
    this.#arrived = [];
    if (this.#reading.is !== "open") return;
    this.#endReading(ended);
    const error = new QuicError("STREAM_RESET", `stream stopped by peer: error ${code}`, { resetCode: BigInt(code) });
    deliver(() => {
      this.#isStopped = true;
      this.failWriter(error);
      this.onStopped?.();
    });
  }

  /** What the writer gets from now on. */
  failWriter(error: QuicError): void {
    if (this.#writing.is !== "open") return;
    this.#writing = { is: "failed", error };
    for (const waiter of this.#roomWaiters.splice(0)) waiter.reject(error);
  }

  /** What the reader gets after the bytes that have arrived. */
  failReader(error: QuicError): void {
    this.#endReading({ is: "failed", error });
  }

  async #writePieces(bytes: Uint8Array): Promise<void> {
    for (let start = 0; start < bytes.length; ) {
      if (this.#unreadBytes >= limits.memoryUnreadBytesMax && this.#writing.is === "open") {
        await new Promise<void>((resolve, reject) => this.#roomWaiters.push({ resolve, reject }));
      }
      this.#checkWritable();
      // A copy, as on a network: what the writer does with its bytes afterwards is its own business.
      const piece = bytes.slice(start, start + limits.memoryPieceBytesMax);
      this.#unreadBytes += piece.length;
      deliver(() => this.#arrive(piece));
      start += piece.length;
    }
    this.#checkWritable();
  }

  #checkWritable(): void {
    if (this.#writing.is === "failed") throw this.#writing.error;
    if (this.#writing.is === "ended") throw new QuicError("CALL_FINISHED", "the stream was finished here");
  }

  #arrive(piece: Uint8Array): void {
    if (this.#reading.is !== "open") return;
    const reader = this.#readers.shift();
    if (reader === undefined) {
      this.#arrived.push(piece);
      return;
    }
    this.#makeRoom(piece.length);
    reader.resolve(piece);
  }

  #makeRoom(bytes: number): void {
    this.#unreadBytes -= bytes;
    if (this.#unreadBytes >= limits.memoryUnreadBytesMax) return;
    for (const waiter of this.#roomWaiters.splice(0)) waiter.resolve();
  }

  #endReading(how: Side): void {
    if (this.#reading.is !== "open") return;
    this.#reading = how;
    for (const reader of this.#readers.splice(0)) {
      if (how.is === "failed") reader.reject(how.error);
      else reader.resolve(undefined);
    }
    if (this.#isOver) return;
    this.#isOver = true;
    this.onOver?.();
  }
}
