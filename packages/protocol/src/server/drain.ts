import { setImmediate } from "node:timers/promises";
import type { RequestEnvelope, ResponseEnvelope } from "../protocols/protocol.ts";
import type { CallDesk } from "./call-desk.ts";
import type { ServerConnection } from "./connection.ts";

export interface DrainOptions {
  /** How long calls that are under way may take. Default 5,000; 0 = they are cut off at once. */
  readonly graceMs?: number;
}

/** What became of the calls that were under way when a drain began. */
export interface DrainReport {
  /** Calls that waited on purpose and were told to come again. */
  readonly cutCalls: number;
  /** Calls that had no answer at the end of the grace period, so that closing ended them. */
  readonly unansweredCalls: number;
}

/**
 * Lets nobody in, gives calls that wait on purpose a turn of the event loop to end by themselves, cuts the others of
 * them, and resolves once no call is open, `graceMs` have passed, or `signal` is aborted.
 */
export async function drainCalls<Request extends RequestEnvelope, Response extends ResponseEnvelope>(
  desk: CallDesk<Request, Response>,
  connections: ReadonlySet<ServerConnection<Request, Response>>,
  graceMs: number,
  signal: AbortSignal,
  onDraining: () => void,
): Promise<DrainReport> {
  desk.admission.isDraining = true;
  desk.draining.abort();
  onDraining();
  await setImmediate();
  let cutCalls = 0;
  for (const { held } of connections) {
    for (const call of held) {
      if (call.isAnswered) continue;
      call.cut(desk.retryDetails("DRAINING"));
      if (!call.connection.knowsExtensions) desk.sayFarewell(call.connection);
      cutCalls += 1;
    }
  }
  await idle(desk, graceMs, signal);
  const unansweredCalls = desk.admission.openCalls;
  // The last answer was given in this very tick, and leaves at its end.
  await setImmediate();
  return { cutCalls, unansweredCalls };
}

function idle<Request extends RequestEnvelope, Response extends ResponseEnvelope>(
  { admission }: CallDesk<Request, Response>,
  graceMs: number,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      admission.onIdle = undefined;
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, graceMs);
    admission.onIdle = done;
    signal.addEventListener("abort", done);
    if (admission.openCalls === 0 || signal.aborted) done();
  });
}
