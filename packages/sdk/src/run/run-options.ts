import type { RunContext } from "./context.ts";
import type { EngineEvent } from "./events.ts";
import type { History } from "./history.ts";
import type { StepPolicy } from "./retry.ts";
import type { Clock } from "./timers.ts";
import type { MakeTurns } from "./turns.ts";

/** What is fixed for the life of a run. */
export interface RunFacts {
  readonly workflow: string;
  readonly instanceId: string;
  readonly tenantId: string;
  /** 1, and one more with each continuation. */
  readonly run: number;
  readonly startedAt: number;
  readonly seed: string;
}

export interface RunOptions {
  readonly facts: RunFacts;
  readonly body: (input: unknown, context: RunContext) => unknown;
  readonly input: unknown;
  readonly stepPolicy: StepPolicy;
  readonly history: History;
  readonly clock: Clock;
  readonly concurrentSteps?: number;
  readonly tell?: (event: EngineEvent) => void;
  /** Tests put a broken one here to see that it is noticed. */
  readonly makeTurns?: MakeTurns;
  /** Sees calls and deliveries, for tests. */
  readonly probe?: (what: "call" | "deliver", id: string) => void;
}
