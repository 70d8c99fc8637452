import type { Logger } from "../api/runtime.ts";
import type { StepContext } from "../api/step.ts";
import type { FencedError, NonDeterminismError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { QueuedSignal, SignalType } from "../ports/source.ts";
import type { History } from "./history.ts";
import type { GateLike, RunFacts } from "./host.ts";
import type { DivergenceReport } from "./report.ts";
import type { StepPolicy } from "./retry.ts";
import type { MakeTurns } from "./turns.ts";

export type { MakeTurns } from "./turns.ts";

/** For a test kit: nothing of it is there in production. */
export interface RunHooks {
  /** What is run in the place of a step's body; asked once per step and process. The name of a step of the SDK's own ends in its role:
   *  `charge!undo`, `approved!send`, `ship!cancel`. */
  body?(
    step: { readonly instanceId: string; readonly id: string; readonly name: string },
    body: (s: StepContext) => unknown,
  ): (s: StepContext) => unknown;
  /** In the place of Math.random for the jitter of retries: [0, 1). */
  jitter?(): number;
}

/** What a run is made of. `Run` implements RunControl; its constructor takes these. */
export interface RunOptions {
  readonly facts: RunFacts;
  readonly hooks?: RunHooks | undefined;
  readonly body: (input: unknown, context: never) => unknown;
  readonly input: unknown;
  /** The workflow's defaults for its steps: `policyOf(definition.step, defaultPolicy, …)`. */
  readonly stepPolicy: StepPolicy;
  readonly history: History;
  readonly clock: Clock;
  readonly gate: GateLike;
  readonly logger: Logger;
  /** How long bodies may go on after the function has failed, before compensations begin. */
  readonly drainMs: number;
  /** What earlier runs of the instance had taken and not used. */
  readonly inbox: readonly { readonly name: string; readonly value: unknown }[];
  /** By name the signal that was consumed last; one map for all runs of an instance in this process. Default a new one. */
  readonly consumed?: Map<string, number>;
  /** Turns a payload into a value; awaited before the entry is numbered. `child`: the payload is the end of this instance, and the value
   *  is a ChildReport. */
  readonly readPayload: (name: string, payload: Uint8Array, child?: string) => unknown;
  readonly outside: RunOutside;
  readonly listener: RunListener;
  readonly guard: boolean;
  /** A durable call outside a durable turn is an error instead of a warning. */
  readonly strictTurns: boolean;
  /** Turns come from the process's rounds (runtime/rounds.ts); a test may bring its own. */
  readonly makeTurns: MakeTurns;
  /** Sees calls and deliveries, for tests. */
  readonly probe?: ((what: "call" | "deliver", id: string) => void) | undefined;
}

/** What a run does to other instances; each is the body of a step. */
export interface RunOutside {
  sendSignal(instanceId: string, name: string, text: string | undefined, messageId: string): Promise<void>;
  cancelInstance(instanceId: string): Promise<void>;
}

/** What a run tells; synchronously, and it must not throw. */
export interface RunListener {
  /** The names for which there are more waits than signals on their way. Told when that changes, at the end of a turn. */
  wants(names: readonly string[]): void;
  /** Nothing moves but time and signals; asked again by `standing`. Told once per time that it becomes so. */
  idle(): void;
  /** It goes on by itself. */
  busy(): void;
  event(event: EngineEvent): void;
  /** True: `began` and `saved` are told too; each costs every step a little. */
  readonly isDetailed: boolean;
}

/** Where an idle run stands. */
export interface Standing {
  /** Earliest timer or retry. */
  readonly untilMs: number | undefined;
  readonly names: readonly string[];
  /** A signal that the history has, or that changes nothing any more (a cancel during compensation). */
  readonly recordedSignal: SignalType | undefined;
  /** Every armed timer and wait, for logs. */
  readonly armed: number;
}

export interface RunControl {
  readonly facts: RunFacts;
  /** Begins with the first turn; resolves when this run has nothing more to do. Never rejects. */
  start(): Promise<RunEnd>;
  cancel(reason: string | undefined): void;
  /** No new bodies; ends as paused when the running ones are done and saved. */
  pause(): void;
  /** What has arrived. What nobody waits for is passed over; it stays in the store. Ids that are on their way already, too. */
  arrived(signals: readonly QueuedSignal[]): void;
  /** Undefined = it is not idle. */
  standing(): Standing | undefined;
  /** Only an idle run: timers and calls wait until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** Drops it: its code goes no further and nothing is written; running bodies are told to stop. */
  stop(end: RunEnd): void;
  /** Names of bodies that run. */
  readonly bodies: readonly string[];
}

export type RunEnd =
  | { readonly is: "returned"; readonly value: unknown; readonly text: string | undefined }
  | {
      readonly is: "continued";
      readonly input: unknown;
      readonly inputText: string | undefined;
      readonly inbox: RunOptions["inbox"];
      /** Time of the entry that began the next run: its start. */
      readonly at: number;
    }
  | { readonly is: "threw"; readonly error: unknown }
  | { readonly is: "cancelled" }
  | { readonly is: "diverged"; readonly error: NonDeterminismError }
  | { readonly is: "fenced"; readonly error: FencedError }
  | { readonly is: "paused" }
  | { readonly is: "suspended" }
  /** Dropped: by request, or because the history gave up with an error. */
  | { readonly is: "stopped"; readonly error: unknown };

/** What a run tells while it goes. `live`: the replay is over, so many stored entries were delivered, new bodies run from here. `bytes`: of the
 *  value's text. */
export type EngineEvent =
  | { readonly type: "live"; readonly replayed: number; readonly tookMs: number }
  | {
      readonly type: "saved";
      readonly id: string;
      readonly kind: string;
      readonly name: string;
      readonly seq: number;
      readonly outcome: "value" | "error";
      readonly bytes: number;
    }
  | { readonly type: "began"; readonly id: string; readonly name: string; readonly attempt: number }
  | {
      readonly type: "attemptFailed";
      readonly id: string;
      readonly name: string;
      readonly attempt: number;
      readonly error: unknown;
      readonly nextInMs: number;
    }
  | { readonly type: "signalRejected"; readonly name: string; readonly error: Error }
  | { readonly type: "compensationFailed"; readonly id: string; readonly error: unknown }
  | { readonly type: "abandoned"; readonly names: readonly string[] }
  | { readonly type: "warning"; readonly message: string }
  | { readonly type: "diverged"; readonly report: DivergenceReport };
