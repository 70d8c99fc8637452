import type { ConnectionClosed } from "@runtara/quic";
import type { AsyncQueue } from "../async-queue.ts";
import { encodeError } from "../envelopes.ts";
import type { ErrorDetails } from "../errors.ts";
import { frameType } from "../frames.ts";
import { limits } from "../limits.ts";
import type { RequestEnvelope, ResponseEnvelope } from "../protocols/protocol.ts";
import { readRequest } from "../read-request.ts";
import type { TransportCall, TransportHandlers, TransportPeer } from "../transport/port.ts";
import type { ServerCall } from "./call.ts";
import type { CallDesk } from "./call-desk.ts";
import { ServerConnection } from "./connection.ts";
import type { ServerHandlers } from "./handlers.ts";
import { respondUnserved } from "./unserved.ts";

/** Ties the network to the desk and to the handlers of a server. */
export class Incoming<Request extends RequestEnvelope, Response extends ResponseEnvelope> {
  /** The clients that are served. */
  readonly connections: Set<ServerConnection<Request, Response>> = new Set();
  connectionsTotal = 0;
  readonly #desk: CallDesk<Request, Response>;
  readonly #connectionsMax: number;
  readonly #handlers: ServerHandlers<Request, Response>;
  readonly #queue: AsyncQueue<ServerConnection<Request, Response>>;
  readonly #handle: (call: ServerCall<Request, Response>) => void;
  readonly #features: ReadonlySet<string>;

  /** `queue`: for the connections, if there is no `onCall`. `connectionsMax`: 0 = any number. */
  constructor(
    desk: CallDesk<Request, Response>,
    connectionsMax: number,
    handlers: ServerHandlers<Request, Response>,
    queue: AsyncQueue<ServerConnection<Request, Response>>,
  ) {
    this.#desk = desk;
    this.#connectionsMax = connectionsMax;
    this.#handlers = handlers;
    this.#queue = queue;
    this.#features = new Set(handlers.features);
    this.#handle = handlers.onCall ?? ((call) => call.connection.calls.push(call));
  }

  /** What the network is to call. */
  get transportHandlers(): TransportHandlers {
    const { onDrained } = this.#handlers;
    return {
      onConnection: (peer) => this.#onConnection(peer),
      onConnectionClosed: (peer, why) => this.#onConnectionClosed(peer, why),
      onCall: (incoming) => this.#onCall(incoming),
      ...(onDrained ? { onDrained } : {}),
    };
  }

  #onConnection(peer: TransportPeer): void {
    const { connections } = this;
    if (this.#desk.admission.isDraining) {
      this.#desk.refused.draining += 1;
      peer.close(0, "server closing");
      return;
    }
    if (this.#connectionsMax > 0 && connections.size >= this.#connectionsMax) {
      this.#desk.refused.connections += 1;
      const message = `${this.#connectionsMax} connections are the limit of this server`;
      peer.close(0, message);
      this.#desk.faults.report({ kind: "connectionRefused", message, remoteAddress: peer.remoteAddress });
      return;
    }
    const connection = new ServerConnection<Request, Response>(peer);
    peer.data = connection;
    connections.add(connection);
    this.connectionsTotal += 1;
    this.#handlers.onConnection?.(connection);
    if (!this.#handlers.onCall) this.#queue.push(connection);
  }

  #onConnectionClosed(peer: TransportPeer, why: ConnectionClosed): void {
    const connection = connectionOf<Request, Response>(peer);
    if (connection === undefined) return;
    this.connections.delete(connection);
    connection.calls.end();
    // One that nobody has taken yet would only be in the way.
    this.#queue.remove(connection);
    for (const call of connection.held) call.abandon();
    this.#handlers.onConnectionClosed?.(connection, why);
  }

  #onCall(incoming: TransportCall): void {
    const connection = connectionOf<Request, Response>(incoming.connection);
    // A refused connection may have sent calls before it noticed, and of one that has ended nobody would end them.
    if (connection === undefined || !this.connections.has(connection)) {
      incoming.reset(limits.undoneCallCode);
      return;
    }
    const read = readRequest(this.#desk.protocol, incoming);
    if (read.kind === "request") {
      const call = this.#desk.take(connection, incoming, read.request);
      if (call !== undefined && this.#isServed(call)) this.#handleSafely(call);
      else if (call !== undefined) respondUnserved(call);
    } else if (read.kind === "answer") {
      this.#answerBadRequest(incoming, read.code, read.message, read.details);
    } else if (incoming.fault === "FRAME_TOO_LARGE" && incoming.faultDetail <= limits.framePayloadBytesMax) {
      const { frameBytesMax } = this.#desk;
      const message = `frame too large: ${incoming.faultDetail} bytes (max: ${frameBytesMax}, maxFrameBytes)`;
      this.#answerBadRequest(incoming, "BAD_REQUEST", message);
    } else {
      incoming.finish();
      const { remoteAddress } = connection;
      this.#desk.faults.report({ kind: "streamClosed", message: `Stream error: ${read.reason}`, remoteAddress });
    }
  }

  #isServed(call: ServerCall<Request, Response>): boolean {
    const { feature } = call.kind;
    return feature === undefined || this.#features.has(feature);
  }

  #answerBadRequest(incoming: TransportCall, code: string, message: string, details?: ErrorDetails): void {
    incoming.respond(frameType.response, encodeError(this.#desk.protocol, code, message, details));
    const { remoteAddress } = incoming.connection;
    this.#desk.faults.report({ kind: "badRequest", message, remoteAddress });
  }

  #handleSafely(call: ServerCall<Request, Response>): void {
    try {
      this.#handle(call);
    } catch (error) {
      const { operation } = call.kind;
      call.fail(call.kind.errorCode, `the handler of ${operation} failed`, { fineCode: "INTERNAL", retryable: false });
      this.#desk.fault("handlerFailed", call, `the handler of ${operation} failed: ${String(error)}`, error);
    }
  }
}

function connectionOf<Request extends RequestEnvelope, Response extends ResponseEnvelope>(
  peer: TransportPeer,
): ServerConnection<Request, Response> | undefined {
  return peer.data as ServerConnection<Request, Response> | undefined;
}
