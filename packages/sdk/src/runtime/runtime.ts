import type { Logger } from "../api/runtime.ts";
import type { WorkflowDefinition } from "../api/workflow.ts";
import type { Activity, Clock } from "../ports/clock.ts";
import type { Operator } from "../ports/operator.ts";
import type { InstanceSession, WorkSource } from "../ports/source.ts";
import type { EngineEvent, MakeTurns, RunControl, RunEnd, RunHooks } from "../run/control.ts";
import type { History } from "../run/history.ts";
import type { Sealer } from "../values/codec-port.ts";
import type { ListedHistoryParts } from "./listed-history.ts";

export interface RuntimeSettings {
  readonly suspendAfterMs: number;
  readonly drainMs: number;
  readonly leaseMs: number;
  readonly instancesMax: number;
  readonly stepsMax: number;
  readonly guard: boolean;
  readonly strictTurns: boolean;
}

export interface RuntimeParts {
  readonly source: WorkSource;
  readonly operator: Operator;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly logger: Logger;
  readonly activity: Activity;
  readonly settings: RuntimeSettings;
  readonly hooks?: RunHooks | undefined;
  readonly onEvent?: ((instanceId: string, event: EngineEvent) => void) | undefined;
  /** An instance is not run here any more; `end`: what its last run came to. With "ended", the source has taken the report. Must not throw. */
  readonly onGone?: ((instanceId: string, why: GoneWhy, end: RunEnd | undefined) => void) | undefined;
  /** The history of a session that serves no batches. */
  readonly sparse?: ((parts: ListedHistoryParts) => Promise<RunHistory>) | undefined;
}

/** A history, as its resident sees it. */
export interface RunHistory extends History {
  /** Nothing waits to be saved, and no call is under way. */
  readonly isIdle: boolean;
  /** Nothing more goes out, and nothing is called back. */
  close(): void;
}

/** runtime/runner.ts. Nothing is claimed before the first `serve`. */
export interface Runner {
  /** Adds workflows to the offers. @throws ConfigError: another function has this name and version already */
  serve(definitions: readonly WorkflowDefinition[]): void;
  /** Instances in memory. */
  readonly residents: number;
  close(drainMs: number): Promise<void>;
  /** As if the process were killed: nothing is written or released any more. For the test kit. */
  vanish(): void;
}

/** One instance in this process; runtime/resident.ts has the one setter and the legal moves. */
export type ResidentPhase =
  | { readonly is: "loading" }
  | { readonly is: "running"; readonly run: RunControl; readonly history: RunHistory }
  | { readonly is: "suspending"; readonly run: RunControl; readonly history: RunHistory }
  | { readonly is: "ending"; readonly end: RunEnd }
  | { readonly is: "gone"; readonly why: GoneWhy };

/** Why an instance is not run here any more. `released`: it is unfinished, and the next worker is to have it. */
export type GoneWhy = "ended" | "suspended" | "fenced" | "released" | "vanished";

export interface Resident {
  readonly session: InstanceSession;
  readonly phase: ResidentPhase;
  /** Idle, so it can be put away now: the order of eviction is longest idle first. */
  readonly idleSinceMs: number | undefined;
  /** Puts it away if it is idle, whatever it waits for. False: it is not, or may not be put away. */
  suspendNow(): boolean;
}

/** runtime/rounds.ts: turns of all residents, and what they saved. The turns that are asked for before a round begins are run in it, each as two
 *  immediates; behind the last one everything dirty is saved and the source flushed, so that a round is one commit. What becomes dirty outside a
 *  round (a body that awaited I/O) is flushed by an immediate of its own. Never by nextTick: that runs between two immediates, so it is a
 *  commit per turn (measured, see plan.md). */
export interface Rounds {
  readonly makeTurns: MakeTurns;
  /** `flush` is called once at the end of the round. */
  add(dirty: { flush(): void }): void;
}
