import type { ConnectionClosed } from "@runtara/quic";
import type { FeatureName } from "../features.ts";
import type { RequestEnvelope, ResponseEnvelope } from "../protocols/protocol.ts";
import type { ServerCall } from "./call.ts";
import type { ServerConnection } from "./connection.ts";
import type { ServerFault } from "./faults.ts";

/** How a call ended: answered (or finished), answered with an error, not carried out and reset, or given up by its client. */
export type CallOutcome = "ok" | "error" | "undone" | "aborted";

/** What a server does with what comes in. Without `onCall`, iterate the server and its connections. */
export interface ServerHandlers<Request extends RequestEnvelope, Response extends ResponseEnvelope> {
  /**
   * Every call, synchronously, many in a row. No promise is made per call: answer at once, or keep the call and answer
   * later. What cannot be read as a request, or is over a limit, never comes here.
   */
  readonly onCall?: (call: ServerCall<Request, Response>) => void;
  /**
   * Extensions that are served; calls of any other are answered EMPTY_REQUEST with the fine code UNSUPPORTED and come to
   * no handler. Default: none. `serve` fills it in.
   */
  readonly features?: readonly FeatureName[];
  /** After the last `onCall` of a batch: the moment to commit a group and answer it. */
  readonly onDrained?: () => void;
  readonly onConnection?: (connection: ServerConnection<Request, Response>) => void;
  readonly onConnectionClosed?: (connection: ServerConnection<Request, Response>, why: ConnectionClosed) => void;
  /**
   * `drain` has begun: no further call comes but acknowledgements. Calls that wait on purpose are best answered now or in
   * the promise jobs of this tick; in the next one they are cut.
   */
  readonly onDraining?: () => void;
  /** Each call that was let in, once it is over; for metrics. `tookMs`: from its arrival. Absent, calls are not timed. */
  readonly onCallEnded?: (operation: string, outcome: CallOutcome, tookMs: number) => void;
  /** Default: a failed handler becomes a process warning, the rest is not reported. */
  readonly onFault?: (fault: ServerFault) => void;
}
