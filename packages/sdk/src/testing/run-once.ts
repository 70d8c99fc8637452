import type { RunContext } from "../run/context.ts";
import { defaultPolicy } from "../run/retry.ts";
import { Run } from "../run/run.ts";
import type { RunEnd } from "../run/run-end.ts";
import type { RunOptions } from "../run/run-options.ts";
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
  /** Called with the run before each event. */
  onEvent?: (run: Run, event: number) => void;
}

/** A process that runs an instance over the memory store until it ends, crashes, or nothing can happen any more. */
export async function runProcess(
  options: ProcessOptions,
): Promise<{ end: RunEnd | undefined; run: Run; events: number }> {
  const clock = options.clock ?? new SimulatedClock();
  const rng = options.rng ?? rngOf(1);
  const history = new MemoryHistory(options.store, { clock, rng, sparse: options.sparse ?? false });
  const run = new Run({
    facts: { workflow: "test", instanceId: "i-1", tenantId: "t", run: 1, startedAt: 1_700_000_000_000, seed: "seed" },
    body: options.body,
    input: options.input,
    stepPolicy: { ...defaultPolicy, attempts: 1 },
    history,
    clock,
    ...options.settings,
  });
  let end: RunEnd | undefined;
  void run.start().then((value) => {
    end = value;
  });
  let events = 0;
  const crashAfter = options.crashAfter ?? Number.POSITIVE_INFINITY;
  for (let idle = 0; end === undefined && events < crashAfter; ) {
    options.onEvent?.(run, events);
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
  }
  return { end, run, events };
}
