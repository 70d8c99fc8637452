import { QuicError } from "./errors.ts";
import { hold, release } from "./hold.ts";
import { limits } from "./limits.ts";
import { operation } from "./native.ts";
import { codeWords } from "./options.ts";
import type { Outbox } from "./outbox.ts";

type Side = { is: "open" } | { is: "ended" } | { is: "failed"; error: QuicError };
type Waiter<T> = { resolve: (value: T) => void; reject: (error: QuicError) => void };

const open: Side = { is: "open" };
const ended: Side = { is: "ended" };

/**
 * A raw bidirectional stream. Back-pressured both ways: about 1 MiB may lie unread or unsent here, the rest waits at the
 * peer. Read it to its end or `stop` it, and `finish` or `reset` it; else it lives as long as its connection. A pending
 * operation keeps the process alive.
 */
export class QuicStream {
  readonly #outbox: Outbox;
  readonly #number: number;
  readonly #onDone: (number: number) => void;
  #reading: Side = open;
  #writing: Side = open;
  #isDone = false;
  #chunks: Uint8Array[] = [];
  #readers: Waiter<Uint8Array | undefined>[] = [];
  #consumedBytes = 0;
  #unsentBytes = 0;
  #roomWaiters: Waiter<void>[] = [];
  #finish: PromiseWithResolvers<void> | undefined;
  #lastWrite: Promise<void> = Promise.resolve();

  /** @internal */
  constructor(outbox: Outbox, number: number, onDone: (number: number) => void) {
    this.#outbox = outbox;
    this.#number = number;
    this.#onDone = onDone;
    outbox.plain(operation.streamCredit, number, limits.streamUnreadBytesMax);
  }

  /**
   * The next bytes, at least one, or undefined after the peer's FIN. Reads are answered in order.
   *
   * @throws QuicError STREAM_RESET, CONNECTION_CLOSED, CONNECTION_LOST
   */
  read(): Promise<Uint8Array | undefined> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#giveCredit(chunk.length);
      return Promise.resolve(chunk);
    }
    if (this.#reading.is === "ended") return Promise.resolve(undefined);
    if (this.#reading.is === "failed") return Promise.reject(this.#reading.error);
    hold();
    return new Promise<Uint8Array | undefined>((resolve, reject) => {
      this.#readers.push({ resolve, reject });
    }).finally(release);
  }

  /**
   * Resolves when the bytes are on their way or at most 1 MiB waits; they must not change before. Writes keep their order.
   *
   * @throws QuicError STREAM_RESET, CONNECTION_CLOSED, CONNECTION_LOST, CALL_FINISHED after `finish` or `reset`
   */
  write(bytes: Uint8Array): Promise<void> {
    const written = this.#lastWrite.then(() => this.#writePieces(bytes));
    this.#lastWrite = written.catch(() => {});
    hold();
    return written.finally(release);
  }

  /**
   * Ends this side after what has been written. Resolves when QUIC has taken everything; delivery is confirmed only by
   * what the peer answers.
   *
   * @throws QuicError STREAM_RESET, CONNECTION_CLOSED, CONNECTION_LOST, CALL_FINISHED after `reset`
   */
  finish(): Promise<void> {
    if (this.#finish !== undefined) return this.#finish.promise;
    const finish = Promise.withResolvers<void>();
    this.#finish = finish;
    hold();
    // Whoever does not await it learns of a failure by reading.
    finish.promise.finally(release).catch(() => {});
    void this.#lastWrite.then(() => {
      if (this.#writing.is === "open") this.#outbox.plain(operation.streamFinish, this.#number);
      else finish.reject(this.#writeError());
    });
    return finish.promise;
  }

  /** Gives up writing: what has not been sent is dropped and the peer sees a reset with this code. */
  reset(code: number): void {
    const [low, high] = codeWords(code);
    if (this.#writing.is !== "open") return;
    this.#outbox.plain(operation.streamReset, this.#number, low, high);
    this.#endWriting({ is: "failed", error: new QuicError("CALL_FINISHED", "the stream was reset here") });
  }

  /** Gives up reading and asks the peer to stop writing, with this code. Pending reads get undefined. */
  stop(code: number): void {
    const [low, high] = codeWords(code);
    this.#chunks = [];
    if (this.#reading.is !== "open") return;
    this.#outbox.plain(operation.streamStop, this.#number, low, high);
    this.#endReading(ended);
  }

  /** @internal */
  onData(bytes: Uint8Array): void {
    if (this.#reading.is !== "open") return;
    const reader = this.#readers.shift();
    if (reader === undefined) {
      this.#chunks.push(bytes);
      return;
    }
    this.#giveCredit(bytes.length);
    reader.resolve(bytes);
  }

  /** @internal */
  onReadEnd(error?: QuicError): void {
    this.#endReading(error === undefined ? ended : { is: "failed", error });
  }

  /** @internal */
  onWritten(bytes: number): void {
    this.#unsentBytes -= bytes;
    while (this.#unsentBytes < limits.streamUnsentBytesMax && this.#roomWaiters.length > 0) {
      this.#roomWaiters.shift()?.resolve();
    }
  }

  /** @internal */
  onWriteEnd(error?: QuicError): void {
    this.#endWriting(error === undefined ? ended : { is: "failed", error });
  }

  async #writePieces(bytes: Uint8Array): Promise<void> {
    for (let start = 0; start < bytes.length; ) {
      // Nobody makes room any more once writing has ended.
      if (this.#writing.is === "open" && this.#unsentBytes >= limits.streamUnsentBytesMax) {
        await new Promise<void>((resolve, reject) => this.#roomWaiters.push({ resolve, reject }));
      }
      if (this.#writing.is !== "open") throw this.#writeError();
      const piece = bytes.subarray(start, start + limits.streamWriteBytesMax);
      this.#unsentBytes += piece.length;
      this.#outbox.bytes(operation.streamWrite, this.#number, piece);
      start += piece.length;
    }
    if (this.#writing.is !== "open") throw this.#writeError();
    // Pieces handed over by reference are read at the flush.
    if (bytes.length > limits.slabValueBytesMax) this.#outbox.flush();
  }

  #writeError(): QuicError {
    if (this.#writing.is === "failed") return this.#writing.error;
    return new QuicError("CALL_FINISHED", "the stream was finished here");
  }

  #giveCredit(bytes: number): void {
    this.#consumedBytes += bytes;
    if (this.#consumedBytes < limits.streamCreditStepBytes || this.#reading.is !== "open") return;
    this.#outbox.plain(operation.streamCredit, this.#number, this.#consumedBytes);
    this.#consumedBytes = 0;
  }

  #endReading(how: Side): void {
    if (this.#reading.is !== "open") return;
    this.#reading = how;
    for (const reader of this.#readers.splice(0)) {
      if (how.is === "failed") reader.reject(how.error);
      else reader.resolve(undefined);
    }
    this.#checkDone();
  }

  #endWriting(how: Side): void {
    if (this.#writing.is !== "open") return;
    this.#writing = how;
    for (const waiter of this.#roomWaiters.splice(0)) waiter.reject(this.#writeError());
    if (how.is === "failed") this.#finish?.reject(how.error);
    else this.#finish?.resolve();
    this.#checkDone();
  }

  #checkDone(): void {
    if (this.#isDone || this.#reading.is === "open" || this.#writing.is === "open") return;
    this.#isDone = true;
    this.#onDone(this.#number);
  }
}
