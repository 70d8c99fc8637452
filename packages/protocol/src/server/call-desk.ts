import { encodeError } from "../envelopes.ts";
import type { ErrorDetails } from "../errors.ts";
import { frameType } from "../frames.ts";
import { limits } from "../limits.ts";
import { callShape } from "../protocols/calls.ts";
import type { Protocol, RequestEnvelope, RequestOf, ResponseEnvelope } from "../protocols/protocol.ts";
import type { TransportCall } from "../transport/port.ts";
import { Admission, type CallRefusal } from "./admission.ts";
import { ServerCall } from "./call.ts";
import { type CallKind, callKinds } from "./call-kinds.ts";
import type { ServerConnection } from "./connection.ts";
import { DeadlineList } from "./deadline-list.ts";
import { FaultReporter, type ServerFault } from "./faults.ts";
import type { ServerHandlers } from "./handlers.ts";
import { isHeard, knowsExtensions } from "./heard.ts";
import type { ServerNumbers } from "./options.ts";
import { RetryHint } from "./retry-hint.ts";
import { taskNow } from "./task-clock.ts";

/** Where the calls of one server are let in, refused, counted and let go. */
export class CallDesk<Request extends RequestEnvelope, Response extends ResponseEnvelope> {
  readonly protocol: Protocol<Request, Response>;
  readonly frameBytesMax: number;
  readonly admission: Admission;
  /** Of calls, and of the pending reads and writes of their raw streams. */
  readonly deadlines: DeadlineList;
  readonly streamSteps: DeadlineList;
  readonly faults: FaultReporter;
  /** Aborted when a drain begins. */
  readonly draining: AbortController = new AbortController();
  readonly refused: Record<CallRefusal | "connections", number> = {
    connections: 0,
    openCalls: 0,
    bytesInFlight: 0,
    connectionBytesInFlight: 0,
    draining: 0,
  };
  readonly onCallEnded: ServerHandlers<Request, Response>["onCallEnded"];
  readonly #kinds: ReadonlyMap<string, CallKind>;
  readonly #refusalTexts: Readonly<Record<CallRefusal, string>>;
  readonly #isIterated: boolean;
  readonly #hint = new RetryHint();

  /** `isIterated`: calls wait in the queues of their connections. */
  constructor(
    protocol: Protocol<Request, Response>,
    numbers: ServerNumbers,
    onFault: (fault: ServerFault) => void,
    isIterated: boolean,
    onCallEnded?: ServerHandlers<Request, Response>["onCallEnded"],
  ) {
    this.onCallEnded = onCallEnded;
    this.protocol = protocol;
    this.#isIterated = isIterated;
    this.frameBytesMax = numbers.maxFrameBytes;
    this.admission = new Admission(numbers);
    this.deadlines = new DeadlineList(numbers.requestTimeoutMs, taskNow);
    this.streamSteps = new DeadlineList(numbers.progressTimeoutMs, taskNow);
    this.faults = new FaultReporter(onFault, numbers.faultIntervalMs);
    this.#kinds = callKinds(protocol);
    this.#refusalTexts = {
      openCalls: `the server is overloaded: ${numbers.maxOpenCalls} calls are open (maxOpenCalls)`,
      bytesInFlight: `the server is overloaded: ${numbers.maxBytesInFlight} bytes of requests are its limit (maxBytesInFlight)`,
      connectionBytesInFlight: `${numbers.maxConnectionBytesInFlight} bytes of unanswered requests are the limit of a connection (maxConnectionBytesInFlight)`,
      draining: "the server is shutting down",
    };
  }

  /** The call, or undefined if it was refused, which its client has been told then. */
  take(
    connection: ServerConnection<Request, Response>,
    incoming: TransportCall,
    request: RequestOf<Request>,
  ): ServerCall<Request, Response> | undefined {
    const kind = this.#kindOf(request);
    if (!connection.knowsExtensions && knowsExtensions(kind, request.value)) connection.knowsExtensions = true;
    const { length } = incoming.payload;
    if (!kind.isAcknowledgement || length > limits.acknowledgementBytesMax) {
      const why = this.admission.refusal(connection, length);
      if (why !== undefined) {
        if (why === "draining" && !connection.knowsExtensions) this.#sendAway(kind, connection, incoming);
        else this.#refuse(why, kind, connection, incoming, isHeard(kind, request.value));
        return undefined;
      }
    }
    return new ServerCall(this, kind, connection, incoming, request);
  }

  /** A call has been answered, or has ended without. */
  leave(call: ServerCall<Request, Response>, heldBytes: number): void {
    if (this.#isIterated) call.connection.calls.remove(call);
    this.admission.leave(call.connection, heldBytes);
    if (call.connection.isLeaving) this.sayFarewell(call.connection);
  }

  /** Closes a connection once none of its calls is open and the last answer has had time to leave, each one anew. For a drain. */
  sayFarewell(connection: ServerConnection<Request, Response>): void {
    connection.isLeaving = true;
    clearTimeout(connection.farewell);
    const isDone = (): boolean => connection.bytesInFlight === 0;
    if (isDone()) connection.farewell = setTimeout(() => isDone() && connection.close(), limits.farewellMs).unref();
  }

  /** What a client is told whose call is cut or refused although it is in order. */
  retryDetails(fineCode: "OVERLOADED" | "DRAINING"): ErrorDetails {
    return { fineCode, retryable: true, retryAfterMs: this.#hint.next(performance.now(), Math.random()) };
  }

  fault(kind: ServerFault["kind"], call: ServerCall<Request, Response>, message: string, error?: unknown): void {
    const { remoteAddress } = call.connection;
    const fault = { kind, message, remoteAddress, operation: call.kind.operation };
    this.faults.report(error === undefined ? fault : { ...fault, error });
  }

  /** Nothing expires any more, and every fault has been reported. */
  close(): void {
    this.deadlines.clear();
    this.streamSteps.clear();
    this.faults.close();
  }

  #kindOf(request: RequestOf<Request>): CallKind {
    const kind = this.#kinds.get(request.case);
    // Decoding has found the case in the schema that the kinds are made of.
    if (kind === undefined) throw new Error(`${request.case} is no call of the ${this.protocol.name} protocol`);
    if (!kind.isCarrier) return kind;
    const { waits, isIdempotent } = callShape(request.value);
    return { ...kind, waits, isIdempotent };
  }

  /**
   * A client of 1.4.1 does not read `retryable` and takes every error for an answer for good; the end of a stream, and then of
   * the connection, is trouble of the network to it, after which it connects again.
   */
  #sendAway(kind: CallKind, connection: ServerConnection<Request, Response>, incoming: TransportCall): void {
    this.#refuse("draining", kind, connection, incoming, false);
    if (!connection.isLeaving) this.sayFarewell(connection);
  }

  #refuse(
    why: CallRefusal,
    kind: CallKind,
    { remoteAddress }: ServerConnection<Request, Response>,
    incoming: TransportCall,
    isTold: boolean,
  ): void {
    this.refused[why] += 1;
    const isDraining = why === "draining";
    const message = this.#refusalTexts[why];
    if (isTold) {
      const details = this.retryDetails(isDraining ? "DRAINING" : "OVERLOADED");
      incoming.respond(frameType.response, encodeError(this.protocol, kind.errorCode, message, details));
    } else {
      incoming.reset(limits.undoneCallCode);
    }
    // Late calls whose clients are told why are nothing unusual.
    if (isDraining && isTold) return;
    this.faults.report({
      kind: isDraining ? "draining" : "overloaded",
      message,
      remoteAddress,
      operation: kind.operation,
    });
  }
}
