import { QuicError } from "@runtara/quic";
import { limits } from "../limits.ts";
import type { TransportStream } from "../transport/port.ts";
import type { Deadline, DeadlineList, Expiring } from "./deadline-list.ts";

/**
 * A raw stream whose pending reads and writes have a deadline, so that a client which stops sending or taking bytes does
 * not hold a call for ever. A handler that does something else meanwhile has no deadline.
 */
export class WatchedStream implements TransportStream {
  readonly #stream: TransportStream;
  readonly #steps: DeadlineList;
  readonly #onOver: () => void;
  readonly #onStalled: (message: string) => void;
  readonly #readStall: Expiring = { expire: () => this.#onReadStalled() };
  readonly #writeStall: Expiring = { expire: () => this.#onWriteStalled() };
  #lastWrite: Promise<void> = Promise.resolve();
  #isReading = true;
  #isWriting = true;
  /** Why nothing can be read, or written, any more. */
  #readFailure: unknown;
  #writeFailure: unknown;

  /** `onOver`: told once when both directions have ended. `onStalled`: told once, before that, with what was missing. */
  constructor(stream: TransportStream, steps: DeadlineList, onOver: () => void, onStalled: (message: string) => void) {
    this.#stream = stream;
    this.#steps = steps;
    this.#onOver = onOver;
    this.#onStalled = onStalled;
  }

  read(): Promise<Uint8Array | undefined> {
    if (this.#readFailure !== undefined) return Promise.reject(this.#readFailure);
    const deadline = this.#steps.add(this.#readStall);
    return this.#stream.read().then(
      (bytes) => {
        this.#settle(deadline);
        if (bytes === undefined) this.#onNothingRead();
        return bytes;
      },
      (error: unknown) => {
        this.#settle(deadline);
        this.#endReading();
        throw error;
      },
    );
  }

  write(bytes: Uint8Array): Promise<void> {
    const written = this.#lastWrite.then(() => this.#writePieces(bytes));
    this.#lastWrite = written.catch(() => {});
    return written;
  }

  finish(): Promise<void> {
    const finished = this.#lastWrite.then(() => this.#writing(this.#stream.finish())).finally(() => this.#endWriting());
    // Whoever does not await it learns of a failure by reading.
    finished.catch(() => {});
    return finished;
  }

  reset(code: number): void {
    this.#stream.reset(code);
    this.#endWriting();
  }

  stop(code: number): void {
    this.#stream.stop(code);
    this.#endReading();
  }

  async #writePieces(bytes: Uint8Array): Promise<void> {
    if (this.#writeFailure !== undefined) throw this.#writeFailure;
    // In pieces, because a long write is no stall as long as some of it leaves.
    for (let start = 0; start === 0 || start < bytes.length; start += limits.bodyPieceBytesMax) {
      await this.#writing(this.#stream.write(bytes.subarray(start, start + limits.bodyPieceBytesMax)));
    }
  }

  async #writing(step: Promise<void>): Promise<void> {
    const deadline = this.#steps.add(this.#writeStall);
    try {
      await step;
    } catch (error) {
      this.#writeFailure ??= error;
      this.#endWriting();
      throw this.#writeFailure;
    } finally {
      this.#settle(deadline);
    }
  }

  #settle(deadline: Deadline | undefined): void {
    if (deadline !== undefined) this.#steps.remove(deadline);
  }

  /** The client's end, or ours: what stopping leaves of a read must not look like the whole of an upload. */
  #onNothingRead(): void {
    this.#endReading();
    if (this.#readFailure !== undefined) throw this.#readFailure;
  }

  /** A client that sends nothing can still be answered. */
  #onReadStalled(): void {
    this.#readFailure ??= this.#stalled("sent");
    this.stop(limits.stalledStreamCode);
  }

  /** One that takes nothing cannot. */
  #onWriteStalled(): void {
    const stalled = this.#stalled("taken");
    this.#readFailure ??= stalled;
    this.#writeFailure ??= stalled;
    this.stop(limits.stalledStreamCode);
    this.reset(limits.stalledStreamCode);
  }

  #stalled(what: "sent" | "taken"): QuicError {
    const message = `the client has ${what} nothing for ${this.#steps.lengthMs} ms (progressTimeoutMs)`;
    this.#onStalled(message);
    return new QuicError("CALL_TIMEOUT", message);
  }

  #endReading(): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    if (!this.#isWriting) this.#onOver();
  }

  #endWriting(): void {
    if (!this.#isWriting) return;
    this.#isWriting = false;
    if (!this.#isReading) this.#onOver();
  }
}
