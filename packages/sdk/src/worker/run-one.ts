import type { Logger } from "../api/runtime.ts";
import { FencedError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Operator } from "../ports/operator.ts";
import type { InstanceSignals, OpenPoll, PendingSignal, SignalType, Suspension, WorkSource } from "../ports/source.ts";
import { SourceError } from "../ports/source-error.ts";
import type { RunEnd } from "../run/control.ts";
import { createRunner } from "../runtime/runner.ts";
import type { GoneWhy, RuntimeParts } from "../runtime/runtime.ts";

import type { Sealer } from "../values/codec-port.ts";
import type { WorkflowDefinition } from "../workflow.ts";
import type { Begun } from "./begun.ts";
import type { Link } from "./link.ts";
import { oneInstanceSource } from "./one-instance-source.ts";
import type { Outcome, RunEvent } from "./outcome.ts";
import { type Listener, overheard } from "./overheard.ts";
import type { ServerClock } from "./remote/server-clock.ts";

export interface OneRun {
  readonly begun: Begun;
  readonly link: Link;
  readonly clock: ServerClock;
  readonly operator: Operator;
  readonly definition: WorkflowDefinition;
  readonly sealer: Sealer;
  readonly logger: Logger | undefined;
  readonly concurrentSteps: number;
  readonly heartbeatIntervalMs: number;
  readonly suspendAfterMs: number;
  readonly signal: AbortSignal | undefined;
  readonly tell: (event: RunEvent) => void;
}

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const nothingToTell = { begin: () => () => {} };

/** Runs the registered instance until it has ended or is put away. @throws what ended it but is no outcome */
export async function runOne(one: OneRun): Promise<Outcome> {
  const { signal, begun, heartbeatIntervalMs, definition } = one;
  const { instanceId, facts } = begun.session.work;
  const stopped = Promise.withResolvers<never>();
  const ear = new Ear((event) => {
    try {
      one.tell(event);
    } catch (error) {
      stopped.reject(error);
    }
  });
  const session = overheard(begun.session, ear);
  const source = oneInstanceSource({ ...one, session, waitSignals: (request) => ear.hear(begun.waitSignals(request)) });
  if (facts.signal) ear.onSignal(facts.signal);
  const gone = Promise.withResolvers<{ readonly why: GoneWhy; readonly end: RunEnd | undefined }>();
  const onGone: RuntimeParts["onGone"] = (_id, why, end) => gone.resolve({ why, end });
  const runner = createRunner({ ...partsOf(one, source, ear), onGone });
  const onAbort = (): void => stopped.reject(new SourceError("CLOSED", "the run was stopped"));
  const heartbeats = heartbeatIntervalMs > 0 ? setInterval(() => session.heartbeat(), heartbeatIntervalMs) : undefined;
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  try {
    if (!signal?.aborted) runner.serve([definition]);
    const { why, end } = await Promise.race([gone.promise, stopped.promise]);
    if (end?.is === "suspended") return { instanceId, earlier: false, ...sleeping(one, ear) };
    return { instanceId, earlier: false, ...endingOf(why, end) };
  } finally {
    clearInterval(heartbeats);
    signal?.removeEventListener("abort", onAbort);
    runner.vanish();
  }
}

function partsOf(one: OneRun, source: WorkSource, ear: Ear): RuntimeParts {
  const { operator, clock, sealer, logger = silent, suspendAfterMs, concurrentSteps, begun } = one;
  return {
    source,
    operator,
    clock,
    sealer,
    logger,
    activity: nothingToTell,
    settings: {
      suspendAfterMs,
      drainMs: limits.drainMsDefault,
      leaseMs: limits.leaseMsDefault,
      instancesMax: 1,
      stepsMax: concurrentSteps,
      guard: false,
      strictTurns: false,
    },
    sparse: begun.sparse,
    onEvent: (_id, event) => {
      if (event.type !== "began") ear.tell(event);
    },
  };
}

/** Hears what passes by. Cancel and pause are told once. */
class Ear implements Listener {
  readonly tell: (event: RunEvent) => void;
  suspension: Suspension | undefined;
  storedId: string | undefined;
  readonly #told = new Set<SignalType>();

  constructor(tell: (event: RunEvent) => void) {
    this.tell = tell;
  }

  onSignal({ type }: PendingSignal): void {
    if (type === "resume" || this.#told.has(type)) return;
    this.#told.add(type);
    this.tell({ type: "signal", signal: type });
  }

  onStored(checkpointId: string): void {
    this.storedId = checkpointId;
  }

  onSuspended(suspension: Suspension): void {
    this.suspension = suspension;
  }

  hear({ answer, abandon }: OpenPoll<readonly InstanceSignals[]>): OpenPoll<readonly InstanceSignals[]> {
    const heard = answer.then((instances) => {
      for (const { signal } of instances) if (signal) this.onSignal(signal);
      return instances;
    });
    return { answer: heard, abandon };
  }
}

type Ending = Outcome extends infer One ? (One extends Outcome ? Omit<One, "instanceId" | "earlier"> : never) : never;

function sleeping({ begun, clock }: OneRun, { suspension, storedId = begun.newestId }: Ear): Ending {
  const untilMs = suspension?.untilMs;
  const wakeAfterMs = untilMs === undefined ? undefined : Math.max(0, Math.ceil(untilMs - clock.now()));
  return { status: "suspended", reason: "sleeping", wakeAfterMs, checkpointId: storedId };
}

function endingOf(why: GoneWhy, end: RunEnd | undefined): Ending {
  switch (end?.is) {
    case "returned":
      return { status: "completed", output: end.value };
    case "threw":
      return { status: "failed", error: asError(end.error) };
    case "cancelled":
      return { status: "cancelled" };
    case "diverged":
      return { status: "suspended", reason: "diverged", error: end.error };
    case "paused":
      return { status: "suspended", reason: "paused" };
    case "fenced":
      throw end.error;
    case "stopped":
      throw end.error;
    default:
      throw new FencedError(`the instance was given up (${why})`);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error), { cause: error });
}
