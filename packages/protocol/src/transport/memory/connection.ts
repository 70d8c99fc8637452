import { type CallOptions, type ConnectionClosed, type Frame, QuicError } from "@runtara/quic";
import { encodeFrame } from "../../frames.ts";
import { closedError } from "../closed.ts";
import { answerError, checkFrame, type FrameBounds } from "../frame-bounds.ts";
import type { LinkStats, TransportConnection } from "../port.ts";
import { readFrame } from "./frames.ts";
import type { Link } from "./link.ts";
import type { MemoryStream } from "./stream.ts";

/** The client's end of a connection in memory. */
export class MemoryConnection implements TransportConnection {
  readonly transportName = "memory";
  readonly peerCertificate: undefined = undefined;
  readonly remoteAddress: string;
  readonly closed: Promise<ConnectionClosed>;
  readonly #link: Link;
  readonly #bounds: FrameBounds;
  #closing: Promise<void> | undefined;
  #callsInFlight = 0;

  constructor(link: Link, remoteAddress: string, closed: Promise<ConnectionClosed>, bounds: FrameBounds) {
    this.#link = link;
    this.remoteAddress = remoteAddress;
    this.closed = closed;
    // How long an answer may take is the call's own deadline.
    this.#bounds = { ...bounds, readTimeoutMs: 0 };
  }

  get isOpen(): boolean {
    return this.#link.ended.client === undefined;
  }

  async call(type: number, payload: Uint8Array, options: CallOptions = {}): Promise<Frame> {
    checkFrame(this.#bounds, type, payload);
    if (options.signal?.aborted === true) throw abortedError(options.signal);
    const opening = this.#link.openStream();
    this.#callsInFlight++;
    try {
      return await unlessGivenUp(this.#exchange(opening, type, payload), options, () => {
        void opening.then(abandon, () => {});
      });
    } finally {
      this.#callsInFlight--;
    }
  }

  async send(type: number, payload: Uint8Array): Promise<void> {
    checkFrame(this.#bounds, type, payload);
    const stream = await this.#link.openStream();
    writeFrame(stream, type, payload);
    try {
      while ((await stream.read()) !== undefined);
    } catch (error) {
      if (!(error instanceof QuicError) || error.resetCode !== 0n) throw error;
    }
  }

  openStream(): Promise<MemoryStream> {
    return this.#link.openStream();
  }

  stats(): LinkStats {
    const why = this.#link.ended.client;
    if (why !== undefined) throw closedError(why);
    return { remoteAddress: this.remoteAddress, callsInFlight: this.#callsInFlight };
  }

  close(code = 0, reason = ""): Promise<void> {
    this.#closing ??= this.#link.close("client", code, reason);
    return this.#closing;
  }

  async #exchange(opening: Promise<MemoryStream>, type: number, payload: Uint8Array): Promise<Frame> {
    const stream = await opening;
    writeFrame(stream, type, payload);
    const answer = await readFrame(stream.incoming, this.#bounds);
    stream.stop(0);
    if (answer.fault === undefined) return answer;
    stream.reset(0);
    throw answerError(answer);
  }
}

/** A frame and the end of this side. The reader's end tells of failures, so nobody waits here. */
export function writeFrame(stream: MemoryStream, type: number, payload: Uint8Array): void {
  stream.write(encodeFrame(type, payload)).then(
    () => stream.finish().catch(() => {}),
    () => {},
  );
}

function abandon(stream: MemoryStream): void {
  stream.reset(0);
  stream.stop(0);
}

async function unlessGivenUp<T>(work: Promise<T>, options: CallOptions, giveUp: () => void): Promise<T> {
  const { timeoutMs = 0, signal } = options;
  const over = Promise.withResolvers<never>();
  const end = (error: QuicError): void => {
    giveUp();
    over.reject(error);
  };
  const abort = (): void => end(abortedError(signal));
  const timer =
    timeoutMs > 0
      ? setTimeout(() => end(new QuicError("CALL_TIMEOUT", `no answer within ${timeoutMs} ms`)), timeoutMs)
      : undefined;
  signal?.addEventListener("abort", abort);
  try {
    return await Promise.race([work, over.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

function abortedError(signal: AbortSignal | undefined): QuicError {
  return new QuicError("CALL_ABORTED", "the call was aborted", { cause: signal?.reason });
}
