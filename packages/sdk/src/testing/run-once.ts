import type { RunContext } from "../run/context.ts";
import type { EngineEvent, RunEnd, RunListener, RunOptions } from "../run/control.ts";
import { Gate } from "../run/gate.ts";
import type { RunFacts } from "../run/host.ts";
import { defaultPolicy } from "../run/retry.ts";
import { Run } from "../run/run.ts";
import { macrotaskTurns } from "../run/turns.ts";
import { MemoryHistory, type MemoryStore } from "./memory-history.ts";
import { type Rng, rngOf } from "./rng.ts";
import { macrotask, SimulatedClock } from "./simulated-clock.ts";

export interface ProcessOptions {
  store: MemoryStore;
  body: (input: unknown, context: RunContext) => unknown;
  clock?: SimulatedClock;
  rng?: Rng;
  sparse?: boolean;
  input?: unknown;
  /** Crash after so many events; default never. */
  crashAfter?: number;
  settings?: Partial<RunOptions>;
  tell?: (event: EngineEvent) => void;
  listener?: Partial<RunListener>;
  concurrentSteps?: number;
  /** Called with the run before each event. */
  onEvent?: (run: Run, event: number, history: MemoryHistory) => void;
  /** True: the process has put its run away. */
  isOver?: () => boolean;
}

const silence = (): void => {};

export const testFacts: RunFacts = {
  workflow: "test",
  version: undefined,
  instanceId: "i-1",
  tenantId: "t",
  run: 1,
  startedAt: 1_700_000_000_000,
  seed: "seed",
  signals: {},
  published: {},
};

/** Everything a run is made of, with what tests do not care about filled in. */
export function runOptions(
  options: Pick<ProcessOptions, "body" | "input" | "settings" | "tell" | "listener" | "concurrentSteps"> &
    Pick<RunOptions, "history" | "clock">,
): RunOptions {
  return {
    facts: testFacts,
    body: options.body as RunOptions["body"],
    input: options.input,
    stepPolicy: { ...defaultPolicy, attempts: 1 },
    history: options.history,
    clock: options.clock,
    gate: new Gate(options.concurrentSteps ?? 256),
    logger: { debug: silence, info: silence, warn: silence, error: silence },
    drainMs: 100,
    inbox: [],
    readPayload: (_, payload) => JSON.parse(new TextDecoder().decode(payload)),
    outside: { sendSignal: () => Promise.resolve(), cancelInstance: () => Promise.resolve() },
    listener: {
      wants: silence,
      idle: silence,
      busy: silence,
      event: options.tell ?? silence,
      isDetailed: options.tell !== undefined,
      ...options.listener,
    },
    guard: false,
    strictTurns: false,
    makeTurns: macrotaskTurns,
    ...options.settings,
  };
}

/** A process that runs an instance over the memory store until it ends, crashes, or nothing can happen any more. */
export async function runProcess(
  options: ProcessOptions,
): Promise<{ end: RunEnd | undefined; run: Run; events: number }> {
  const clock = options.clock ?? new SimulatedClock();
  const rng = options.rng ?? rngOf(1);
  const history = new MemoryHistory(options.store, { clock, rng, sparse: options.sparse ?? false });
  const run = new Run(runOptions({ ...options, history, clock }));
  let end: RunEnd | undefined;
  void run.start().then((value) => {
    end = value;
  });
  let events = 0;
  const crashAfter = options.crashAfter ?? Number.POSITIVE_INFINITY;
  for (let idle = 0; end === undefined && events < crashAfter; ) {
    options.onEvent?.(run, events, history);
    if (options.isOver?.()) break;
    if (clock.step()) {
      idle = 0;
      events++;
    } else if (++idle > 20) {
      break;
    }
    await macrotask();
  }
  if (end === undefined) {
    history.crash();
    run.stop({ is: "stopped", error: new Error("crash") });
    return { end: undefined, run, events };
  }
  // The end is told when the last messages are out.
  while (!history.isIdle && clock.step()) await macrotask();
  return { end, run, events };
}
