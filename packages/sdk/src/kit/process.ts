import { createCore } from "@runtara/core";
import type { Store } from "@runtara/store";
import type { Logger } from "../api/runtime.ts";
import type { AnyWorkflow } from "../api/workflow.ts";
import { LocalOperator } from "../embedded/local-operator.ts";
import { LocalSource } from "../embedded/local-source.ts";
import { limits } from "../limits.ts";
import type { Activity, Clock } from "../ports/clock.ts";
import type { EngineEvent, RunHooks } from "../run/control.ts";
import { createRunner } from "../runtime/runner.ts";
import { createSealer } from "../values/sealer.ts";
import { definitionOf } from "../workflow.ts";

/** What a process of the test kit is made of: everything that `open` decides by itself. */
export interface ProcessParts {
  readonly store: Store;
  readonly tenantId: string;
  readonly workerId: string;
  /** Timers of workflows: sleeps, retries, time-outs. */
  readonly clock: Clock;
  /** All other timers: leases, polls, looks, and core's own. */
  readonly housekeeping: Clock;
  readonly activity: Activity;
  readonly logger: Logger;
  readonly leaseMs: number;
  readonly suspendAfterMs: number;
  readonly guard: boolean;
  readonly strictTurns: boolean;
  readonly hooks?: RunHooks | undefined;
  readonly onEvent?: (instanceId: string, event: EngineEvent) => void;
}

/** An embedded runtime that can end without a goodbye. */
export interface Process {
  /** Instances in memory. */
  readonly residents: number;
  /** Adds workflows; nothing runs before. @throws ConfigError: a ref, or another function with this name and version */
  serve(workflows: readonly AnyWorkflow[]): void;
  /** As if it were killed: nothing is written or released any more. */
  vanish(): void;
}

/** Starts one. Core's services run inside it, as with `open`. */
export function startProcess(parts: ProcessParts): Process {
  const { store, tenantId, workerId, clock, housekeeping, leaseMs, suspendAfterMs, guard, strictTurns } = parts;
  const core = createCore({ store, clock: housekeeping });
  const source = new LocalSource({ core, store, workerId, tenantId, leaseMs });
  const operator = new LocalOperator({ core, store, tenantId });
  const settings = {
    suspendAfterMs,
    drainMs: 0,
    leaseMs,
    instancesMax: limits.instancesDefault,
    stepsMax: limits.concurrentStepsDefault,
    guard,
    strictTurns,
  };
  const { activity, logger, hooks, onEvent } = parts;
  const more = { hooks, ...(onEvent === undefined ? {} : { onEvent }) };
  const runner = createRunner({ source, operator, clock, sealer: createSealer(), logger, activity, settings, ...more });
  core.start();
  return {
    get residents() {
      return runner.residents;
    },
    serve: (workflows) => runner.serve(workflows.map(definitionOf)),
    vanish: () => runner.vanish(),
  };
}
