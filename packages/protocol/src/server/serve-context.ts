import type { PeerCertificate } from "@runtara/quic";
import type { RequestEnvelope, ResponseEnvelope } from "../protocols/protocol.ts";
import type { TransportStream } from "../transport/port.ts";
import type { ServerCall } from "./call.ts";
import type { ServerConnection } from "./connection.ts";

/** What a handler knows beside its request. */
export class ServeContext<Request extends RequestEnvelope, Response extends ResponseEnvelope> {
  readonly #call: ServerCall<Request, Response>;
  #signal: AbortSignal | undefined;
  #stream: TransportStream | undefined;

  /** For `serve`. */
  constructor(call: ServerCall<Request, Response>) {
    this.#call = call;
  }

  get connection(): ServerConnection<Request, Response> {
    return this.#call.connection;
  }

  /** Who the client has proved to be; undefined unless the server has `clientCaPem`. */
  get peerCertificate(): PeerCertificate | undefined {
    return this.#call.connection.peerCertificate;
  }

  /** When the client will be told DEADLINE_EXCEEDED; undefined for calls that wait on purpose. */
  get deadline(): Date | undefined {
    return this.#call.deadline;
  }

  /** Aborted when the server begins to drain: a call that waits on purpose should return at once then, or it is cut. */
  get draining(): AbortSignal {
    return this.#call.draining;
  }

  /**
   * Aborted when nobody waits for the answer any more: the client gives the call up or goes, the deadline passes, or a
   * drain cuts the call. Its reason is a ProtocolError (CALL_ABORTED, CALL_TIMEOUT, ENDPOINT_CLOSED). Watching costs a
   * little, so only calls that wait should ask.
   */
  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      const controller = new AbortController();
      this.#signal = controller.signal;
      this.#call.onAborted = (why) => controller.abort(why);
    }
    return this.#signal;
  }

  /** The raw bytes after the request. What the handler returns is still the answer, written after what it wrote. */
  stream(): TransportStream {
    this.#stream ??= this.#call.stream();
    return this.#stream;
  }

  /** For `serve`: the stream, if the handler has asked for it. */
  get streamTaken(): TransportStream | undefined {
    return this.#stream;
  }
}
