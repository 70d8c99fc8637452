import type { AnyHandle, AnyWorkflow, Duration, Handle, Logger, Runtime, StepContext } from "@runtara/sdk/testing";

export interface TestOptions {
  /** All that this test runs, children included. What `start` is given is added by itself. */
  readonly workflows: readonly AnyWorkflow[];
  /** What the clock begins with. Default: 1 January 2026, 00:00 UTC. */
  readonly startAt?: Date;
  /** Decides every random choice, `random()` and `uuid()` of the workflows included. Default: a new one; failures name it. */
  readonly seed?: number;
  /** Default: nothing is printed. */
  readonly logger?: Logger;
}

/**
 * A runtime for tests: in this process, its store in memory, on a clock of its own that stands still until `advance`. Step bodies really
 * run, nothing really sleeps. `crash` replaces the process that runs the workflows; handles go on.
 */
export interface TestRuntime extends Runtime {
  /** Virtual time, in milliseconds since 1970. */
  readonly clock: { now(): number };
  readonly seed: number;
  /**
   * Lets so much time pass: everything that is due on the way happens at its time, in order, each followed by `idle`.
   *
   * @throws Error: a step's body runs for more than 10 s of real time
   */
  advance(by: Duration): Promise<void>;
  /** Resolves when nothing can happen any more without time or signals. @throws like `advance` */
  idle(): Promise<void>;
  /** Runs `body` in the place of every step with this name, or with this checkpoint id, in all instances; from their next attempt on. The undo of
   *  step "charge" is "charge!undo". */
  fake(step: string, body: (s: StepContext) => unknown): void;
  /** Drops the process without a goodbye: what was not acknowledged is kept or lost as the seed decides. A new one takes over; no time passes. */
  crash(): Promise<void>;
  /** The process dies right after the commit of this checkpoint, before it gets to know of it. Once. */
  crashAfter(id: string): void;
  /** The process dies right before the commit of this checkpoint, which is lost. Once. */
  crashBefore(id: string): void;
  /** The finished steps of an instance, in the order of their outcomes. */
  steps(handle: AnyHandle): Promise<readonly StepSummary[]>;
}

export interface StepSummary {
  /** The checkpoint id. */
  readonly id: string;
  readonly name: string;
  /** Attempts that were planned: 1, and one more for each retry. What a crash repeats does not count. */
  readonly attempts: number;
  readonly outcome: "value" | "error";
}

/** What is done to a run from outside until it ends: time, signals, cancels. */
export type Drive<W extends AnyWorkflow> = (test: TestRuntime, handle: Handle<W>) => Promise<void>;

export interface Report {
  /** Runs of the workflow. */
  readonly runs: number;
  /** Crashes that really happened. */
  readonly crashes: number;
  /** Commits of the run without a crash. */
  readonly boundaries: number;
  readonly seed: number;
}

export interface RepeatOptions<W extends AnyWorkflow> {
  /** Default: lets time pass until the workflow has ended. */
  readonly drive?: Drive<W>;
  readonly seed?: number;
  /** Other workflows that this one starts. */
  readonly workflows?: readonly AnyWorkflow[];
  /** Called before each run: puts back what the bodies have changed outside (a fake database, a list of calls). */
  readonly reset?: () => void | Promise<void>;
  /** The workflow may end while bodies still run: the loser of a race. Default false, because an await may be missing. */
  readonly allowAbandoned?: boolean;
  readonly startAt?: Date;
}

export interface EveryCrashOptions<W extends AnyWorkflow> extends RepeatOptions<W> {
  /** Two crashes in one run, too. Default true. */
  readonly pairs?: boolean;
}

export interface RandomSchedulesOptions<W extends AnyWorkflow> extends RepeatOptions<W> {
  /** Default 100. */
  readonly runs?: number;
}
