import type { Logger } from "../api/runtime.ts";
import type { Shapes } from "../api/schema.ts";
import type { StepContext } from "../api/step.ts";
import type { CancelledError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { QueuedSignal } from "../ports/source.ts";
import type { Continuation } from "./continuation.ts";
import type { EngineEvent, RunHooks } from "./control.ts";
import type { EntryKind } from "./entries.ts";
import type { Announced, ChildCall } from "./history.ts";
import type { Scope } from "./keys.ts";
import type { StepPolicy } from "./retry.ts";

export interface RunFacts {
  readonly workflow: string;
  readonly version: string | undefined;
  readonly instanceId: string;
  readonly tenantId: string;
  /** 1, and one more with each continuation. */
  readonly run: number;
  readonly startedAt: number;
  readonly seed: string;
  readonly signals: Shapes;
  readonly published: Shapes;
}

/** What the run sees of an operation. */
export interface OperationLike {
  /** Of its entry. A wait for a signal has none of its own: its id holds a `?`, which no entry's does. */
  readonly id: string;
  readonly kind: EntryKind;
  readonly name: string;
  readonly source: { readonly text: string; readonly json: string };
  readonly promise: Promise<unknown>;
  readonly isSettled: boolean;
  isForeign: boolean;
  /** True for what a cancel rejects: it only waits, no body runs. */
  readonly isWait: boolean;
  /** Runs the body or arms the timer. Called once, in a live run. */
  start(): void;
  settle(outcome: "value" | "error", value: unknown): void;
  withdraw(reason: string): void;
  /** Nobody needs its effect any more: a running body is told to stop, what waits for its next attempt ends. */
  cancel(reason: CancelledError): void;
}

export interface TimersLike {
  set(dueAt: number, fire: () => void): () => void;
}

/** A body that waits for its place. */
export interface GateItem {
  readonly name: string;
  /** There is room. The item asks its run's {@link DoorLike.enters} first. */
  enter(): void;
  /** The run goes on, or ends, without it. */
  abandon(reason: Error): void;
}

/** Bodies of a whole runtime at once: who is let in by `enter` counts until `leave`. */
export interface GateLike {
  queue(item: GateItem): void;
  leave(): void;
}

/** A run's own way through the gate. */
export interface DoorLike {
  queue(item: GateItem): void;
  /** False: not now. The door keeps the item, or forgets it when the run is over. */
  enters(item: GateItem): boolean;
  leave(item: GateItem): void;
}

/** All that operations and contexts may ask of their run. */
export interface RunHost {
  readonly facts: RunFacts;
  readonly clock: Clock;
  readonly timers: TimersLike;
  readonly gate: DoorLike;
  readonly stepPolicy: StepPolicy;
  /** Counters of ids outside any scope. */
  readonly rootScope: Scope;
  /** The time of the delivery that began this turn. */
  readonly now: number;
  readonly isReplaying: boolean;
  /** False in a replay, and once the run has ended or was stopped: nothing is written then. */
  readonly isLive: boolean;
  readonly hasEnded: boolean;
  readonly logger: Logger;
  readonly hooks: RunHooks | undefined;
  /** True from the delivery that begins a turn until its microtasks are done. */
  readonly isInTurn: boolean;
  /** Code outside steps is watched for what differs from run to run. */
  readonly isGuarded: boolean;

  /** A durable call. @throws ContextError after the end; with strict turns, for a call outside a durable turn */
  call(operation: OperationLike, callSite: () => string | undefined): void;
  /** The operation has its outcome: it becomes an entry, and settles when that is delivered. */
  complete(operation: OperationLike, outcome: "value" | "error", text: string | undefined, value: unknown): void;
  withdraw(operation: OperationLike, reason: string): void;
  /** Calls without an answer, in call order. */
  readonly pending: ReadonlyMap<string, OperationLike>;

  /** An entry that no call waits for: a signal that was consumed; "child": one that brought the end of a child, with an id that ends in
   *  `!result`. Delivered to the inbox in its turn. */
  record(entry: {
    readonly id: string;
    readonly kind: "signal" | "child";
    readonly outcome: "value" | "error";
    readonly text: string | undefined;
    readonly value: unknown;
    readonly consumesSignalId?: number | undefined;
  }): void;
  /** An entry of this id may come without a call: where entries can't be listed, a replay looks it up. */
  expect(id: string): void;

  /** For operations of a resumed run; undefined otherwise. */
  retryOf(id: string): Announced | undefined | Promise<Announced | undefined>;
  recordRetry(id: string, attempt: number, nextAtMs: number, error: string): Promise<void>;
  /** @throws StartConflictError, UnsupportedError, ValueTooLargeError */
  startChild(child: ChildCall): Promise<void>;
  sendSignal(instanceId: string, name: string, text: string | undefined, messageId: string): Promise<void>;
  cancelInstance(instanceId: string): Promise<void>;
  /** Counts as work until the promise has settled: the run is not idle meanwhile. */
  busyWith<T>(work: Promise<T>): Promise<T>;
  /** Asks for a turn: at its end the run looks where it stands. */
  scheduleTurn(): void;

  /** Numbers it and lets it out in order; in a replay only what may be missing. @throws ContextError after the end */
  publish(key: string, text: string): void;
  emit(subtype: string, text: string): void;
  heartbeat(): void;
  tell(event: EngineEvent): void;
  /** False: nobody wants `began` and `saved`. */
  readonly isDetailed: boolean;
  /** Warns once per key. */
  warn(key: string, message: string): void;

  /** Turns a payload into a value; to be awaited before its entry is recorded. `child`: it is the end of this instance, and the value a
   *  ChildReport. */
  readPayload(name: string, payload: Uint8Array, child?: string): unknown;
  /** Waits for signals, and what has been delivered without one. */
  readonly inbox: InboxLike;

  /** Aborts when a cancel is delivered. */
  readonly cancelSignal: AbortSignal;
  /** Called in the turn of the cancel, in order of registration; at once if that has been. */
  onCancel(callback: (reason: string | undefined) => void): void;

  /** For the saga that wraps the body. */
  readonly compensations: readonly Compensation[];
  addCompensation(compensation: Compensation): void;
  /** From here on a cancel changes nothing: no entry, and it counts as recorded. */
  beginCompensating(): void;
  /** Tells every body that runs or would run to stop; it settles by an entry, like any other. */
  cancelBodies(reason: CancelledError): void;
  readonly drainMs: number;

  /** The answers of `patched` so far. */
  readonly patches: Map<string, Promise<boolean>>;
  /** What `continueAsNew` returns. @throws UnstorableValueError, ValueTooLargeError for the input */
  continuation(input: unknown): Continuation;
}

/** A wait for the next signal of one of these names. */
export interface SignalWait {
  readonly names: readonly string[];
  /** The instance whose end this is. */
  readonly child?: string | undefined;
  /** The wait is over with it. "error" only for the end of a child. */
  take(name: string, outcome: "value" | "error", value: unknown): void;
}

export interface InboxLike {
  /** The newest wait of a name is served first; what lies in the inbox is taken at once, in this turn. */
  add(wait: SignalWait): void;
  remove(wait: SignalWait): void;
}

/** What the run itself asks of its inbox. */
export interface InboxPart extends InboxLike {
  /** Names with more waits than signals that lie here or are on their way; the same array until that changes. */
  readonly wanted: readonly string[];
  /** From outside, in a live run. Those that nobody waits for, or that are on their way already, are passed over. */
  arrived(signals: readonly QueuedSignal[]): void;
  /** A signal entry has its turn, of this process or replayed: `{name}!signal~n`. */
  deliver(id: string, outcome: "value" | "error", value: unknown): void;
  /** What lies here, oldest first: for the next run. */
  readonly contents: readonly { readonly name: string; readonly value: unknown }[];
  /** In a replay: true if the code waits for what this entry brings. If not, code and history differ. */
  expects(id: string): boolean;
}

export interface Compensation {
  readonly id: string;
  readonly name: string;
  readonly source: { readonly text: string; readonly json: string };
  readonly policy: StepPolicy;
  /** With the result of its step, as far as that is known when it is called. */
  readonly run: (s: StepContext) => unknown;
}
