import type { ConnectionClosed, PeerCertificate, StandIn, StandInPace } from "@runtara/quic";
import { ProtocolError } from "../errors.ts";
import { frameSizeText, frameType } from "../frames.ts";
import { limits } from "../limits.ts";
import { fromQuicError, mapped } from "../quic-errors.ts";
import type { LinkStats, TransportConnection, TransportStream } from "../transport/port.ts";
import { checkTimeMs } from "./time-option.ts";
import { unlessGivenUp } from "./unless-given-up.ts";

export interface CallOptions {
  /**
   * From sending to the whole answer, in milliseconds; connecting first has its own time-out. 0 = no deadline. Default:
   * the client's `requestTimeoutMs`.
   */
  readonly timeoutMs?: number;
  /** Abort stops waiting; the server may have carried the call out nevertheless. */
  readonly signal?: AbortSignal;
}

export interface OpenStreamOptions {
  /**
   * Longest wait until the stream may be used, in milliseconds; 0 = none. Default: the client's `requestTimeoutMs`. It does
   * not count once the stream is there.
   */
  readonly timeoutMs?: number | undefined;
  /** Abort stops waiting; a stream that comes nevertheless is given up. */
  readonly signal?: AbortSignal | undefined;
}

/** What stands in for a busy event loop on one connection. */
export type StandingIn = Pick<StandIn, "sign" | "end">;

/** One connection to a server. Any number of calls may be under way on it at once, in no order. */
export class ClientConnection {
  /** Deadline of calls that name none. 0 = none. */
  readonly requestTimeoutMs: number;
  readonly #transport: TransportConnection;
  readonly #unacknowledged = new Set<Promise<unknown>>();
  #isClosedHere = false;

  /** For QuicClient; user code gets connections from `client.connect()`. */
  constructor(transport: TransportConnection, requestTimeoutMs: number) {
    this.#transport = transport;
    this.requestTimeoutMs = requestTimeoutMs;
  }

  get isOpen(): boolean {
    return this.#transport.isOpen;
  }

  /** `ip:port` of the server. */
  get remoteAddress(): string {
    return this.#transport.remoteAddress;
  }

  /** The certificate that the server has shown, verified or not; undefined in memory, where there is no TLS. */
  get peerCertificate(): PeerCertificate | undefined {
    return this.#transport.peerCertificate;
  }

  /** Resolves when the connection has ended, with who ended it and why. Never rejects. */
  get closed(): Promise<ConnectionClosed> {
    return this.#transport.closed;
  }

  /**
   * One frame there, one frame back; what `sendRequest` is made of. Safe to abort: only this call ends.
   *
   * @returns the payload of the answer, whatever its type (spec 1.7).
   * @throws ProtocolError with the codes of the network, STREAM_ENDED if the server ended the stream without an
   *   answer, FRAME_TOO_LARGE before anything is sent.
   */
  async call(payload: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    if (payload.length > limits.framePayloadBytesMax) {
      throw new ProtocolError("FRAME_TOO_LARGE", `frame error: ${frameSizeText(payload.length)}`);
    }
    const timeoutMs = options.timeoutMs ?? this.requestTimeoutMs;
    checkTimeMs("timeoutMs", timeoutMs);
    const call = this.#transport.call(frameType.request, payload, {
      ...(timeoutMs > 0 ? { timeoutMs } : {}),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    return (await mapped(call)).payload;
  }

  /** Whether `close` was called: what fails from then on is meant to. */
  get isClosedHere(): boolean {
    return this.#isClosedHere;
  }

  /** For `sendRequest`: a call that owes no answer is under way; flushing and closing wait for it. */
  trackAcknowledgement(call: Promise<unknown>): void {
    this.#unacknowledged.add(call);
    const done = (): void => void this.#unacknowledged.delete(call);
    call.then(done, done);
  }

  /** Calls that owe no answer and that the server has not acknowledged yet. */
  get unacknowledged(): Iterable<Promise<unknown>> {
    return this.#unacknowledged;
  }

  /** `quic`, `http2`, `memory`: what it really goes over. */
  get transportName(): string {
    return this.#transport.transportName;
  }

  /** @throws ProtocolError CONNECTION_CLOSED or CONNECTION_LOST: it has ended. */
  stats(): LinkStats {
    try {
      return this.#transport.stats();
    } catch (error) {
      throw fromQuicError(error);
    }
  }

  /**
   * Goes on from a fresh local socket, for a machine whose address has changed; calls and streams stay. QUIC only: over
   * another transport nothing is done, and the connection ends when the system notices.
   *
   * @throws ProtocolError BIND_FAILED, CONNECTION_CLOSED, CONNECTION_LOST
   */
  async rebind(): Promise<void> {
    await mapped(this.#transport.rebind?.() ?? Promise.resolve());
  }

  /**
   * What `LeaseKeeper` is made of: the payload as a request frame, sent while the event loop is busy. Undefined where nobody else could send it.
   *
   * @throws ProtocolError FRAME_TOO_LARGE, CONNECTION_CLOSED, CONNECTION_LOST
   */
  standIn(payload: Uint8Array, pace: StandInPace): StandingIn | undefined {
    try {
      return this.#transport.standIn?.(frameType.request, payload, pace);
    } catch (error) {
      throw fromQuicError(error);
    }
  }

  /**
   * A stream of bytes, nothing sent on it yet. Waits while the server allows no further one.
   *
   * @throws ProtocolError CALL_TIMEOUT, CALL_ABORTED, OPTION_INVALID, and the codes of the connection.
   */
  async openStream(options: OpenStreamOptions = {}): Promise<TransportStream> {
    const { signal, timeoutMs = this.requestTimeoutMs } = options;
    checkTimeMs("timeoutMs", timeoutMs);
    const discard = (late: TransportStream): void => {
      late.reset(0);
      late.stop(0);
    };
    const open = (): Promise<TransportStream> => mapped(this.#transport.openStream());
    return unlessGivenUp(open, { signal, timeoutMs }, "waiting for a free stream", discard);
  }

  /** Ends every call on this connection. The server sees `code` and `reason`. */
  close(code = 0, reason = "client closing"): Promise<void> {
    this.#isClosedHere = true;
    return mapped(this.#transport.close(code, reason));
  }
}
