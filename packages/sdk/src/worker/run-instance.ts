import { randomBytes } from "node:crypto";
import { ConfigError, FencedError, ValidationError } from "../errors.ts";
import { limits } from "../limits.ts";
import { Run } from "../run/run.ts";
import type { RunEnd } from "../run/run-end.ts";
import { storeError } from "../run/store-error.ts";
import { systemClock } from "../run/timers.ts";
import { validate } from "../schema.ts";
import { accessOf } from "../wire/server-access.ts";
import type { SignalType } from "../wire/words.ts";
import { type AnyWorkflow, definitionOf, type WorkflowDefinition } from "../workflow.ts";
import { BaseHistory, findEntry } from "./base-history.ts";
import { InstanceEnded, InstanceLink } from "./instance-link.ts";
import { Link, LinkClosed } from "./link.ts";
import { earlierOutcome, errorText, type Outcome, type RunEvent } from "./outcome.ts";
import { completeSettings, type RunInstanceOptions } from "./settings.ts";
import { checkSameStart, foreignInstance, readStart, type Start, startId, writeStart } from "./start-entry.ts";

const utf8 = new TextEncoder();

/** Runs one instance over the base protocol: a new one from its start, an unfinished one from where it was; for one that has ended the
 *  stored end is returned and nothing runs. While the core is away, saves are repeated for as long as the process lives.
 *  Aborting `options.signal` is safe at any time.
 *  @throws ConfigError; ConnectionError when the core is not reachable at the start; StartConflictError for an id that belongs to another
 *  workflow or input; UnstorableValueError, ValueTooLargeError for the input; NotFoundError when the core has lost the instance */
export async function runInstance(workflow: AnyWorkflow, options: RunInstanceOptions): Promise<Outcome> {
  const driver = new Driver(definitionOf(workflow), options);
  try {
    return await driver.run();
  } catch (error) {
    const head = { instanceId: options.instanceId, earlier: false } as const;
    if (error instanceof LinkClosed && options.signal?.aborted) return { ...head, status: "stopped" };
    if (error instanceof FencedError) return { ...head, status: "fenced", error };
    throw error;
  } finally {
    await driver.close();
  }
}

/** One call of {@link runInstance}. */
class Driver {
  readonly #definition: WorkflowDefinition;
  readonly #options: RunInstanceOptions;
  readonly #settings: ReturnType<typeof completeSettings>;
  readonly #link: Link;
  readonly #instance: InstanceLink;
  readonly #timers: NodeJS.Timeout[] = [];
  #run: Run | undefined;
  #signals = new Set<SignalType>();

  constructor(definition: WorkflowDefinition, options: RunInstanceOptions) {
    this.#definition = definition;
    this.#options = options;
    this.#settings = completeSettings(options);
    const { instanceId } = options;
    const settings = { ...this.#settings, access: accessOf(options) };
    this.#link = new Link(instanceId, settings, (event) => this.#tell(event));
    this.#instance = new InstanceLink(this.#link, this.#settings.tenantId, (type) => this.#onSignal(type));
  }

  async run(): Promise<Outcome> {
    const { signal, instanceId } = this.#options;
    const onAbort = (): void => this.#abort();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      if (signal?.aborted) this.#abort();
      await this.#link.connect();
      const status = await this.#instance.status();
      const earlier = earlierOutcome(instanceId, status);
      if (earlier) {
        await this.#checkEarlier();
        return earlier;
      }
      return await this.#runUnfinished(status.checkpointId);
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#link.close();
  }

  async #runUnfinished(newestId: string | undefined): Promise<Outcome> {
    const { instanceId } = this.#options;
    const isNew = newestId === undefined;
    const earlier = isNew ? undefined : await this.#checkEarlier();
    if (!isNew && !earlier) throw foreignInstance(instanceId);
    // Before it is registered, so that an input that can't be stored leaves nothing behind.
    const prepared = earlier ? undefined : await this.#prepareStart();
    const ended = await this.#register();
    if (ended) return ended;
    this.#tell({ type: "registered", instanceId, resumed: !isNew });
    this.#startTimers();
    const start = earlier ?? (await this.#saveStart(prepared as string));
    if (start.error !== undefined) return this.#fail(start.error);
    const history = isNew ? BaseHistory.fresh(this.#instance) : await BaseHistory.resumed(this.#instance, newestId);
    return this.#report(await this.#execute(start, history));
  }

  /** The outcome, when the instance has ended since its status was read. @throws ConfigError for any other refusal */
  async #register(): Promise<Outcome | undefined> {
    const { instanceId } = this.#options;
    const refusal = await this.#instance.register();
    if (refusal === undefined) return undefined;
    const earlier = earlierOutcome(instanceId, await this.#instance.status());
    if (earlier) return earlier;
    throw new ConfigError(`the core does not register instance ${instanceId}: ${refusal}`);
  }

  /** The entry of a new instance, with the input as its schema wants it. */
  async #prepareStart(): Promise<string> {
    const { input } = this.#options;
    const { name, schema } = this.#definition;
    const facts = { workflow: name, startedAt: systemClock.now(), seed: randomBytes(16).toString("hex"), input };
    if (!schema) return writeStart(facts, input, undefined);
    try {
      const valid = await validate(schema, input, `input of workflow ${JSON.stringify(name)}`);
      return writeStart({ ...facts, input: valid }, input, undefined);
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      return writeStart(facts, input, error);
    }
  }

  async #saveStart(text: string): Promise<Start> {
    const { instanceId } = this.#options;
    const state = utf8.encode(text);
    const answer = await this.#instance.checkpoint(startId, state);
    if (answer.found && Buffer.compare(answer.state, state) !== 0) {
      throw new FencedError(`instance ${instanceId} was started by another process at the same moment`);
    }
    return readStart(instanceId, text);
  }

  /** An instance that exists must be the one that is meant. One without a start of ours was started otherwise: its end is told, but it
   *  can't be run. */
  async #checkEarlier(): Promise<Start | undefined> {
    const entry = await findEntry(this.#instance, startId);
    if (!entry) return undefined;
    const start = readStart(this.#options.instanceId, entry.text);
    const claim = "input" in this.#options ? { input: this.#options.input } : undefined;
    checkSameStart(this.#options.instanceId, start, this.#definition.name, claim);
    return start;
  }

  #execute(start: Start, history: BaseHistory): Promise<RunEnd> {
    const { instanceId } = this.#options;
    const { name, body, stepPolicy } = this.#definition;
    const { tenantId, concurrentSteps } = this.#settings;
    const { startedAt, seed, input } = start;
    this.#run = new Run({
      facts: { workflow: name, instanceId, tenantId, run: 1, startedAt, seed },
      body,
      input,
      stepPolicy,
      history,
      clock: systemClock,
      concurrentSteps,
      tell: (event) => this.#tell(event),
    });
    for (const type of this.#signals) this.#forwardSignal(type);
    if (this.#options.signal?.aborted) throw new LinkClosed();
    return this.#run.start();
  }

  async #report(end: RunEnd): Promise<Outcome> {
    const head = { instanceId: this.#options.instanceId, earlier: false };
    switch (end.is) {
      case "returned":
        await this.#instance.event("completed", end.text === undefined ? undefined : utf8.encode(end.text));
        return { ...head, status: "completed", output: end.value };
      case "threw":
        return this.#fail(end.error);
      case "cancelled":
        await this.#instance.acknowledge("cancel");
        return { ...head, status: "cancelled" };
      case "diverged":
        await this.#instance.event("custom", utf8.encode(JSON.stringify(end.error.report)), "runtara_divergence");
        await this.#instance.event("suspended");
        return { ...head, status: "suspended", reason: "diverged", error: end.error };
      case "paused":
        await this.#instance.acknowledge("pause");
        await this.#instance.event("suspended");
        return { ...head, status: "suspended", reason: "paused" };
      case "fenced":
        return { ...head, status: "fenced", error: end.error };
      case "stopped":
        return this.#stopped(end.error);
    }
  }

  async #fail(thrown: unknown): Promise<Outcome> {
    const { error } = storeError(thrown, () => `workflow ${JSON.stringify(this.#definition.name)}`);
    await this.#instance.event("failed", utf8.encode(errorText(error, limits.errorTextCharsMax)));
    const asError = error instanceof Error ? error : new Error(String(error), { cause: error });
    return { instanceId: this.#options.instanceId, earlier: false, status: "failed", error: asError };
  }

  /** The run was dropped: by the caller, or because the core would not take its entries. */
  async #stopped(error: unknown): Promise<Outcome> {
    const { instanceId } = this.#options;
    if (error instanceof LinkClosed) return { instanceId, earlier: false, status: "stopped" };
    if (error instanceof InstanceEnded) {
      const outcome = earlierOutcome(instanceId, await this.#instance.status());
      if (outcome) return { ...outcome, earlier: false };
    }
    throw error;
  }

  #abort(): void {
    this.#run?.stop({ is: "stopped", error: new LinkClosed() });
    void this.#link.close();
  }

  #onSignal(type: SignalType): void {
    if (type === "resume" || this.#signals.has(type)) return;
    this.#signals.add(type);
    this.#tell({ type: "signal", signal: type });
    this.#forwardSignal(type);
  }

  #forwardSignal(type: SignalType): void {
    if (type === "cancel") this.#run?.cancel();
    else this.#run?.pause();
  }

  #startTimers(): void {
    const { heartbeatIntervalMs, signalPollIntervalMs } = this.#settings;
    if (heartbeatIntervalMs > 0) {
      this.#timers.push(
        setInterval(() => this.#instance.attempt((calls) => calls.event("heartbeat")), heartbeatIntervalMs),
      );
    }
    if (signalPollIntervalMs > 0) {
      let isAsking = false;
      const poll = (): void => {
        if (isAsking) return;
        isAsking = true;
        this.#instance
          .pollSignals()
          .catch(() => {})
          .finally(() => {
            isAsking = false;
          });
      };
      this.#timers.push(setInterval(poll, signalPollIntervalMs));
    }
  }

  #tell(event: RunEvent): void {
    this.#options.onEvent?.(event);
    if (event.type === "abandoned") {
      const names = utf8.encode(JSON.stringify(event.names));
      this.#instance.attempt((calls) => calls.event("custom", names, "abandoned"));
    }
  }
}
