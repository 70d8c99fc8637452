import type { Args, Child, SpawnOptions } from "../api/client.ts";
import type { AnySignal, Context, Log } from "../api/context.ts";
import type { Shapes } from "../api/schema.ts";
import type { Retry, StepContext, StepFn, StepOptions, Wait } from "../api/step.ts";
import type { AnyWorkflow, ContinueAsNew, InputOf } from "../api/workflow.ts";
import { type Duration, durationMs } from "../durations.ts";
import { ContextError } from "../errors.ts";
import { limits } from "../limits.ts";
import { validateNow } from "../schema.ts";
import { storeValue } from "../values/index.ts";
import { thrownText } from "../values/thrown-text.ts";
import { knownDefinition } from "../workflow.ts";
import { frames } from "./frame.ts";
import type { RunHost } from "./host.ts";
import { escapeName, escapeText, type Scope } from "./keys.ts";
import { logOf } from "./log.ts";
import type { Operation } from "./operation.ts";
import { ChildHandle, SpawnOperation } from "./operations/child.ts";
import { endNameOf, isEndOfChild } from "./operations/child-end.ts";
import { PatchOperation } from "./operations/patch.ts";
import { SleepOperation } from "./operations/sleep.ts";
import { StepOperation } from "./operations/step.ts";
import { WaitOperation } from "./operations/wait.ts";
import { Random } from "./random.ts";
import { defaultPolicy, policyOf, type StepPolicy } from "./retry.ts";
import { callSite, type Source, sourceOf } from "./source.ts";

/** The public function that was called: the call site is above it. */
// biome-ignore lint/complexity/noBannedTypes: what captureStackTrace takes
type Above = Function;

const undoPolicy: StepPolicy = { ...defaultPolicy, attempts: limits.compensationAttempts };

/** The context of one scope of a run. */
export class RunContext implements Context<Shapes, Shapes> {
  readonly #host: RunHost;
  readonly #scope: Scope;
  /** Of all scopes of the run. */
  readonly #body: { isClosed: boolean };
  #random: Random | undefined;
  #log: Log | undefined;

  constructor(host: RunHost, scope: Scope, parent?: RunContext) {
    this.#host = host;
    this.#scope = scope;
    this.#body = parent ? parent.#body : { isClosed: false };
  }

  get instanceId(): string {
    return this.#host.facts.instanceId;
  }
  get tenantId(): string {
    return this.#host.facts.tenantId;
  }
  get run(): number {
    return this.#host.facts.run;
  }
  get signal(): AbortSignal {
    return this.#host.cancelSignal;
  }
  get replaying(): boolean {
    return this.#host.isReplaying;
  }
  get log(): Log {
    this.#log ??= logOf(this.#host);
    return this.#log;
  }

  // ---- steps

  step<T>(name: string, fn: StepFn<T>, options?: StepOptions<T>, above: Above = RunContext.prototype.step): Promise<T> {
    this.#check("step", name);
    let segment = escapeName(name, "step");
    if (typeof fn !== "function")
      throw new ContextError(`step ${JSON.stringify(name)}: the second argument must be a function`);
    const host = this.#host;
    const base = host.stepPolicy;
    const policy = options === undefined ? base : policyOf(options, base, `step ${JSON.stringify(name)}`);
    const key = options?.key;
    const id = this.#scope.nextId(segment, key);
    const source = sourceOf("step", name, above);
    const frame = { context: this, step: name };
    const operation = new StepOperation(host, { id, name, source, frame, calledAt: host.now }, fn, policy);
    this.#call(operation, above);
    const undo = options?.compensate;
    if (undo && !operation.isSettled) {
      if (key !== undefined) segment += `(${escapeText(String(key))})`;
      let result: T | undefined;
      operation.promise.then(
        (value) => {
          result = value as T;
        },
        () => {},
      );
      this.#addCompensation(segment, name, source, undoPolicy, (s) => undo(result, s));
    }
    return operation.promise as Promise<T>;
  }

  compensate(name: string, fn: (s: StepContext) => unknown, options?: { retry?: Retry }, above?: Above): void {
    this.#check("compensate", name);
    if (typeof fn !== "function")
      throw new ContextError(`compensate ${JSON.stringify(name)}: the second argument must be a function`);
    const policy = policyOf(options ?? {}, undoPolicy, `compensate ${JSON.stringify(name)}`);
    const source = sourceOf("step", name, above ?? RunContext.prototype.compensate);
    this.#addCompensation(escapeName(name, "compensate"), name, source, policy, fn);
  }

  #addCompensation(
    segment: string,
    name: string,
    source: Source,
    policy: StepPolicy,
    run: (s: StepContext) => unknown,
  ): void {
    const id = this.#scope.nextId(`${segment}!undo`);
    this.#host.addCompensation({ id, name, source, policy, run });
  }

  // ---- time

  sleep(nameOrDuration: Duration | string, duration?: Duration): Wait<void> {
    return this.sleepFor(nameOrDuration, duration, RunContext.prototype.sleep);
  }

  sleepFor(nameOrDuration: Duration | string, duration: Duration | undefined, above: Above): Wait<void> {
    const [name, length] = duration === undefined ? ["sleep", nameOrDuration] : [String(nameOrDuration), duration];
    return this.#sleepUntil("sleep", name, this.#host.now + waitMs(length, "sleep: the duration"), above);
  }

  sleepUntil(name: string, when: Date | number, above: Above = RunContext.prototype.sleepUntil): Wait<void> {
    const dueAt = Number(when);
    if (!Number.isFinite(dueAt) || dueAt > limits.timeMsMax) {
      throw new ContextError(
        `sleepUntil ${JSON.stringify(name)}: the time is ${String(when)}; it must be a Date or milliseconds since 1970, at most ${limits.timeMsMax}`,
      );
    }
    return this.#sleepUntil("sleepUntil", name, Math.max(0, dueAt), above);
  }

  #sleepUntil(functionName: string, name: string, dueAt: number, above: Above): Wait<void> {
    this.#check(functionName, name);
    const id = this.#scope.nextId(escapeName(name, functionName));
    const operation = new SleepOperation(this.#host, id, name, sourceOf("sleep", name, above), dueAt);
    this.#call(operation, above);
    return operation.asWait();
  }

  now(): number {
    return this.#host.now;
  }

  // ---- signals

  waitFor<T = unknown>(
    signal: string,
    options?: { timeout?: Duration },
    above: Above = RunContext.prototype.waitFor,
  ): Wait<T> {
    this.#check("waitFor", signal);
    const segment = signalName(signal, "waitFor");
    return this.#wait(segment, signal, [signal], options?.timeout, (_, value) => value, above) as Wait<T>;
  }

  waitForAny<const K extends string>(
    signals: readonly K[],
    options?: { timeout?: Duration },
    above: Above = RunContext.prototype.waitForAny,
  ): Wait<AnySignal<Shapes, K> | undefined> {
    this.#check("waitForAny");
    const names = [...new Set(signals)];
    if (names.length === 0 || names.length > limits.awaitedNamesMax) {
      throw new ContextError(
        `waitForAny: ${names.length} signals were named; it must be 1 to ${limits.awaitedNamesMax}`,
      );
    }
    const segment = names.map((name) => signalName(name, "waitForAny")).join(escapeText(","));
    const give = (name: string, value: unknown): unknown => ({ name, value });
    const wait = this.#wait(segment, names.join(), names, options?.timeout, give, above);
    return wait as Wait<AnySignal<Shapes, K> | undefined>;
  }

  #wait(
    segment: string,
    name: string,
    names: readonly string[],
    timeout: Duration | undefined,
    give: (name: string, value: unknown) => unknown,
    above: Above,
  ): Wait<unknown> {
    const host = this.#host;
    const dueAt = timeout === undefined ? undefined : host.now + waitMs(timeout, "waitFor: the timeout");
    const id = this.#scope.nextId(timeout === undefined ? `${segment}?wait` : `${segment}!timeout`);
    const source = sourceOf("signal", name, above);
    const operation = new WaitOperation(host, host.inbox, { id, name, source, names, dueAt, give });
    this.#call(operation, above);
    if (!operation.isSettled) host.inbox.add(operation);
    return operation.asWait();
  }

  sendSignal(
    instanceId: string,
    name: string,
    payload: unknown,
    above: Above = RunContext.prototype.sendSignal,
  ): Promise<void> {
    return quiet(this.#send(instanceId, name, payload, undefined, above));
  }

  async #send(
    instanceId: string,
    name: string,
    payload: unknown,
    ready: Promise<void> | undefined,
    above: Above,
  ): Promise<void> {
    this.#check("sendSignal", name);
    const segment = signalName(name, "sendSignal");
    const origin = { root: "payload", describe: () => `signal ${JSON.stringify(name)} was given` };
    const text = payload === undefined ? undefined : storeValue(payload, origin);
    const host = this.#host;
    await this.#outsideStep(`${segment}!send`, name, above, async (s) => {
      await ready;
      await host.sendSignal(instanceId, name, text, s.idempotencyKey);
    });
  }

  /** A step of the SDK's own, which acts on another instance. */
  #outsideStep(segment: string, name: string, above: Above, body: (s: StepContext) => unknown): Promise<unknown> {
    const host = this.#host;
    const id = this.#scope.nextId(segment);
    const source = sourceOf("step", name, above);
    const frame = { context: this, step: name };
    const operation = new StepOperation(host, { id, name, source, frame, calledAt: host.now }, body, host.stepPolicy);
    this.#call(operation, above);
    return operation.promise;
  }

  // ---- children and runs

  spawn<W extends AnyWorkflow>(workflow: W, ...args: Args<InputOf<W>, SpawnOptions>): Child<W> {
    return this.spawnFrom(workflow, args[0], args[1], RunContext.prototype.spawn);
  }

  spawnFrom<W extends AnyWorkflow>(
    workflow: W,
    input: unknown,
    options: SpawnOptions | undefined,
    above: Above,
  ): Child<W> {
    const name = options?.name ?? workflow.name;
    this.#check("spawn", name);
    const segment = escapeName(name, "spawn");
    const origin = {
      root: "input",
      describe: () => `workflow ${JSON.stringify(workflow.name)} was to be started with`,
    };
    const inputText = input === undefined ? undefined : storeValue(input, origin);
    const host = this.#host;
    const id = this.#scope.nextId(segment);
    const instanceId = options?.id ?? `${this.instanceId}.${id}`;
    const spawn = new SpawnOperation(host, {
      id,
      name,
      source: sourceOf("child", name, above),
      frame: { context: this, step: name },
      child: {
        instanceId,
        workflow: workflow.name,
        version: workflow.version,
        inputText,
        resultSignal: endNameOf(id),
        detached: options?.detached === true,
      },
      input,
      schema: knownDefinition(workflow)?.schema,
    });
    this.#call(spawn, above);
    const started = spawn.promise as Promise<void>;
    const handle = new ChildHandle(host, spawn, instanceId, {
      nextWaitId: () => this.#scope.nextId(`${segment}?result`),
      call: (wait) => {
        this.#check("result", name);
        this.#call(wait, ChildHandle.prototype.result);
      },
      signal: (signal, payload) =>
        quiet(this.#send(instanceId, signal, payload, started, ChildHandle.prototype.signal)),
      cancel: () => quiet(this.#cancelChild(`${segment}!cancel`, name, instanceId, started)),
    });
    return handle as Child<W>;
  }

  async #cancelChild(segment: string, name: string, instanceId: string, started: Promise<void>): Promise<void> {
    this.#check("cancel", name);
    await this.#outsideStep(segment, name, ChildHandle.prototype.cancel, async () => {
      await started;
      await this.#host.cancelInstance(instanceId);
    });
  }

  scope<T>(name: string, fn: (ctx: Context<Shapes, Shapes>) => Promise<T>): Promise<T> {
    return quiet(this.#inScope(name, fn));
  }

  async #inScope<T>(name: string, fn: (ctx: Context<Shapes, Shapes>) => Promise<T>): Promise<T> {
    this.#check("scope", name);
    const context = new RunContext(this.#host, this.#scope.child(escapeName(name, "scope")), this);
    return frames.run({ context, step: undefined }, fn, context);
  }

  continueAsNew<I>(input: I): ContinueAsNew {
    this.#check("continueAsNew");
    return this.#host.continuation(input) as unknown as ContinueAsNew;
  }

  // ---- what is the same in a replay

  random(): number {
    this.#check("random");
    return this.#generator().number();
  }

  uuid(): string {
    this.#check("uuid");
    return this.#generator().uuid();
  }

  #generator(): Random {
    this.#random ??= new Random(this.#host.facts.seed, this.#scope.prefix);
    return this.#random;
  }

  patched(id: string, above: Above = RunContext.prototype.patched): Promise<boolean> {
    return quiet(this.#patched(id, above));
  }

  async #patched(id: string, above: Above): Promise<boolean> {
    this.#check("patched", id);
    const host = this.#host;
    const known = host.patches.get(id);
    if (known) return known;
    const entryId = `${host.rootScope.prefix}${escapeName(id, "patched")}!patch`;
    const operation = new PatchOperation(host, entryId, id, sourceOf("patch", id, above));
    this.#call(operation, above);
    const answer = operation.promise as Promise<boolean>;
    host.patches.set(id, answer);
    // A cancel is no answer.
    answer.catch(() => host.patches.delete(id));
    return answer;
  }

  // ---- messages

  publish(key: string, value: unknown): void {
    this.#check("publish", key);
    escapeName(key, "publish");
    const what = `publish ${JSON.stringify(key)}`;
    const { published } = this.#host.facts;
    const schema = Object.hasOwn(published, key) ? published[key] : undefined;
    const checked = schema ? validateNow(schema, value, `${what}: the value`) : value;
    this.#host.publish(key, storeValue(checked, { root: "value", describe: () => `${what} was given` }));
  }

  emit(subtype: string, payload?: unknown): void {
    this.#check("emit", subtype);
    escapeName(subtype, "emit");
    const origin = { root: "payload", describe: () => `emit ${JSON.stringify(subtype)} was given` };
    this.#host.emit(subtype, payload === undefined ? "null" : storeValue(payload, origin));
  }

  onCancel(fn: (reason?: string) => void): void {
    this.#check("onCancel");
    const host = this.#host;
    host.onCancel((reason) => {
      try {
        frames.run({ context: this, step: undefined }, fn, reason);
      } catch (error) {
        host.warn(
          "onCancel",
          `workflow ${JSON.stringify(host.facts.workflow)}: an onCancel callback threw ${thrownText(error)}`,
        );
      }
    });
  }

  // ---- for the SDK

  /** The function has failed: what is left of its code calls nothing durable any more. */
  close(): void {
    this.#body.isClosed = true;
  }

  /** True while code runs that must do the same in every replay, and somebody wants to know where it does not. */
  get isWatched(): boolean {
    return this.#host.isGuarded && this.#host.isInTurn;
  }

  /** Warns once per key. */
  warn(key: string, message: string): void {
    this.#host.warn(key, `workflow ${JSON.stringify(this.#host.facts.workflow)}: ${message}`);
  }

  #call(operation: Operation, above: Above): void {
    this.#host.call(operation, () => callSite(above));
  }

  /** @throws ContextError in the body of a step: it runs once or more, so what it does can't be counted; and after the function has failed */
  #check(functionName: string, name?: string): void {
    const step = frames.getStore()?.step;
    if (step === undefined && !this.#body.isClosed) return;
    const call = name === undefined ? `${functionName}()` : `${functionName}(${JSON.stringify(name)})`;
    throw new ContextError(
      step === undefined
        ? `${call} was called after the workflow function had failed`
        : `${call} was called in the body of step ${JSON.stringify(step)}; steps don't nest: call it in the workflow function`,
    );
  }
}

/** How long to wait. A time that was computed may lie in the past; that is no mistake. */
function waitMs(duration: unknown, what: string): number {
  return typeof duration === "number" && duration < 0 ? 0 : durationMs(duration, what);
}

/** What nobody listens to yet, or any more, is no fault of the workflow: like the promises of steps, it takes no process down. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** The escaped name of a signal. @throws ContextError for one that can't be used */
function signalName(name: string, functionName: string): string {
  const segment = escapeName(name, functionName);
  if (isEndOfChild(name)) {
    throw new ContextError(`${functionName}: the signal name ${JSON.stringify(name)} is kept for the ends of children`);
  }
  return segment;
}
