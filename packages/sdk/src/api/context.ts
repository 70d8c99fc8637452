import type { Duration } from "../durations.ts";
import type { Args, Child, SpawnOptions } from "./client.ts";
import type { In, Out, Shapes } from "./schema.ts";
import type { Retry, StepContext, StepFn, StepOptions, Wait } from "./step.ts";
import type { AnyWorkflow, ContinueAsNew, InputOf } from "./workflow.ts";

/** What `waitForAny` gives: one member per name. */
export type AnySignal<S extends Shapes, K extends keyof S & string> = {
  [N in K]: { readonly name: N; readonly value: Out<S[N]> };
}[K];

/** Names that are free, because the workflow declares none. */
type Free<S extends Shapes> = string extends keyof S ? string : never;

/** The second parameter of a workflow function: the free functions, typed by the workflow's `signals` and `published`, and the facts of the
 *  instance. What each function promises is said there. */
export interface Context<S extends Shapes = Shapes, P extends Shapes = Shapes> {
  readonly instanceId: string;
  readonly tenantId: string;
  /** 1, and one more with each `continueAsNew`. */
  readonly run: number;
  /** Aborts when a cancel is delivered. */
  readonly signal: AbortSignal;
  /** True while stored entries are left to deliver. For logs and the like: to decide by it is to diverge. */
  readonly replaying: boolean;

  step<T>(name: string, fn: StepFn<T>, options?: StepOptions<T>): Promise<T>;
  sleep(duration: Duration): Wait<void>;
  sleep(name: string, duration: Duration): Wait<void>;
  sleepUntil(name: string, when: Date | number): Wait<void>;

  waitFor<K extends keyof S & string>(signal: K): Wait<Out<S[K]>>;
  waitFor<K extends keyof S & string>(signal: K, options: { timeout: Duration }): Wait<Out<S[K]> | undefined>;
  waitFor<T>(signal: Free<S>): Wait<T>;
  waitFor<T>(signal: Free<S>, options: { timeout: Duration }): Wait<T | undefined>;
  waitForAny<const K extends keyof S & string>(
    signals: readonly K[],
    options?: { timeout?: Duration },
  ): Wait<AnySignal<S, K> | undefined>;
  sendSignal(instanceId: string, name: string, payload: unknown): Promise<void>;

  now(): number;
  random(): number;
  uuid(): string;
  patched(id: string): Promise<boolean>;

  scope<T>(name: string, fn: (ctx: Context<S, P>) => Promise<T>): Promise<T>;
  spawn<W extends AnyWorkflow>(workflow: W, ...args: Args<InputOf<W>, SpawnOptions>): Child<W>;
  continueAsNew<I>(input: I): ContinueAsNew;

  publish<K extends keyof P & string>(key: K, value: In<P[K]>): void;
  emit(subtype: string, payload?: unknown): void;
  readonly log: Log;

  onCancel(fn: (reason?: string) => void): void;
  compensate(name: string, fn: (s: StepContext) => unknown, options?: { retry?: Retry }): void;
}

/** One line per call; `fields` are plain. Silent while replaying. */
export type Log = Readonly<
  Record<"debug" | "info" | "warn" | "error", (message: string, fields?: Readonly<Record<string, unknown>>) => void>
>;
