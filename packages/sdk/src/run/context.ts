import { type Duration, durationMs } from "../durations.ts";
import { ContextError } from "../errors.ts";
import type { Storable } from "../values/storable.ts";
import { frames } from "./frame.ts";
import { escapeName, type Scope } from "./keys.ts";
import { Random } from "./random.ts";
import { policyOf, type Retry } from "./retry.ts";
import type { Run } from "./run.ts";
import { SleepOperation, type Wait } from "./sleep.ts";
import { callSite, sourceOf } from "./source.ts";
import { StepOperation } from "./step.ts";
import type { StepContext } from "./step-context.ts";

/** The body of a step. A generic helper takes a `StepFn<T>` and passes it on. */
export type StepFn<T> = ((s: StepContext) => T | PromiseLike<T>) & Storable<T>;

export interface StepOptions {
  /** Tells calls of one name apart by entity instead of by order: `charge(cust_1)`. Names stay few, so metrics group. */
  key?: string | number;
  /** False: one attempt. Members that are left out come from the workflow's `step.retry`, then from the defaults. */
  retry?: Retry | false;
  /** Per attempt: `s.signal` aborts, the attempt counts as failed, a late result is dropped. Default none. */
  timeout?: Duration;
}

/** What a workflow function is given beside its input: the same functions as the free ones, and the facts of the instance. */
export interface Context {
  readonly instanceId: string;
  readonly tenantId: string;
  readonly run: number;
  /** Aborts when a cancel is delivered. */
  readonly signal: AbortSignal;
  /** True while stored entries are left to deliver. */
  readonly replaying: boolean;
  step<T>(name: string, fn: StepFn<T>, options?: StepOptions): Promise<T>;
  sleep(duration: Duration): Wait<void>;
  sleep(name: string, duration: Duration): Wait<void>;
  sleepUntil(name: string, when: Date | number): Wait<void>;
  scope<T>(name: string, fn: (ctx: Context) => Promise<T>): Promise<T>;
  now(): number;
  random(): number;
  uuid(): string;
}

/** The context of one scope of a run. */
export class RunContext implements Context {
  readonly #run: Run;
  readonly #scope: Scope;
  #random: Random | undefined;

  constructor(run: Run, scope: Scope) {
    this.#run = run;
    this.#scope = scope;
  }

  get instanceId(): string {
    return this.#run.facts.instanceId;
  }
  get tenantId(): string {
    return this.#run.facts.tenantId;
  }
  get run(): number {
    return this.#run.facts.run;
  }
  get signal(): AbortSignal {
    return this.#run.cancellation.controller.signal;
  }
  get replaying(): boolean {
    return this.#run.isReplaying;
  }

  // `above` is the public function that was called; the call site is above it.

  step<T>(name: string, fn: StepFn<T>, options?: StepOptions, above: object = RunContext.prototype.step): Promise<T> {
    this.#outsideSteps("step", name);
    const segment = escapeName(name, "step");
    if (typeof fn !== "function")
      throw new ContextError(`step ${JSON.stringify(name)}: the second argument must be a function`);
    const run = this.#run;
    const base = run.stepPolicy;
    const policy = options === undefined ? base : policyOf(options, base, `step ${JSON.stringify(name)}`);
    const id = this.#scope.nextId(segment, options?.key);
    const source = sourceOf("step", name, above as () => void);
    const frame = { context: this, step: name };
    const operation = new StepOperation(run, { id, name, source, frame, calledAt: run.now }, fn, policy);
    run.call(operation, () => callSite(above as () => void));
    return operation.promise as Promise<T>;
  }

  sleep(nameOrDuration: Duration | string, duration?: Duration): Wait<void> {
    return this.sleepFor(nameOrDuration, duration, RunContext.prototype.sleep);
  }

  sleepFor(nameOrDuration: Duration | string, duration: Duration | undefined, above: object): Wait<void> {
    const [name, length] = duration === undefined ? ["sleep", nameOrDuration] : [String(nameOrDuration), duration];
    // A time that was computed may lie in the past; that is no mistake.
    const ms = typeof length === "number" && length < 0 ? 0 : durationMs(length, "sleep: the duration");
    return this.#sleepUntil("sleep", name, this.#run.now + ms, above);
  }

  sleepUntil(name: string, when: Date | number, above: object = RunContext.prototype.sleepUntil): Wait<void> {
    const dueAt = Number(when);
    if (!Number.isFinite(dueAt)) {
      throw new ContextError(
        `sleepUntil ${JSON.stringify(name)}: the time is ${String(when)}; it must be a Date or milliseconds since 1970`,
      );
    }
    return this.#sleepUntil("sleepUntil", name, dueAt, above);
  }

  async scope<T>(name: string, fn: (ctx: Context) => Promise<T>): Promise<T> {
    this.#outsideSteps("scope", name);
    const context = new RunContext(this.#run, this.#scope.child(escapeName(name, "scope")));
    return frames.run({ context, step: undefined }, fn, context);
  }

  now(): number {
    return this.#run.now;
  }

  random(): number {
    this.#outsideSteps("random");
    return this.#generator().number();
  }

  uuid(): string {
    this.#outsideSteps("uuid");
    return this.#generator().uuid();
  }

  #sleepUntil(functionName: string, name: string, dueAt: number, above: object): Wait<void> {
    this.#outsideSteps(functionName, name);
    const run = this.#run;
    const id = this.#scope.nextId(escapeName(name, functionName));
    const operation = new SleepOperation(run, id, name, sourceOf("sleep", name, above as () => void), dueAt);
    run.call(operation, () => callSite(above as () => void));
    return operation.asWait();
  }

  #generator(): Random {
    this.#random ??= new Random(this.#run.facts.seed, this.#scope.prefix);
    return this.#random;
  }

  /** @throws ContextError in the body of a step: it runs once or more, so what it does can't be counted */
  #outsideSteps(functionName: string, name?: string): void {
    const step = frames.getStore()?.step;
    if (step === undefined) return;
    const call = name === undefined ? `${functionName}()` : `${functionName}(${JSON.stringify(name)})`;
    throw new ContextError(
      `${call} was called in the body of step ${JSON.stringify(step)}; steps don't nest: call it in the workflow function`,
    );
  }
}
