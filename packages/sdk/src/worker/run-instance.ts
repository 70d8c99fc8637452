import { ConfigError, FencedError, isRuntaraError, NotFoundError } from "../errors.ts";
import { limits } from "../limits.ts";
import { SourceError } from "../ports/source-error.ts";
import type { Sealer, Wrapper } from "../values/codec-port.ts";
import { createSealer } from "../values/sealer.ts";
import { createWrapper } from "../values/wrapper.ts";
import { accessOf } from "../wire/server-access.ts";
import { type AnyWorkflow, definitionOf, type WorkflowDefinition } from "../workflow.ts";
import { beginBase } from "./base/begin-base.ts";
import { InstanceLink } from "./base/instance-link.ts";
import type { Beginning } from "./begun.ts";
import { Link, LinkClosed } from "./link.ts";
import { endedOutcome, endOf, type Outcome, type RunEvent } from "./outcome.ts";
import { beginExtended } from "./remote/begin-extended.ts";
import { RemoteCalls } from "./remote/remote-calls.ts";
import { RemoteOperator } from "./remote/remote-operator.ts";
import { ServerClock } from "./remote/server-clock.ts";
import { runOne } from "./run-one.ts";
import { completeSettings, type RunInstanceOptions } from "./settings.ts";

/** What only images do. */
export interface ImageSettings {
  /** Waits longer than this give the process back. */
  readonly suspendAfterMs: number;
  /** The input is that of a new instance; an existing one is not compared with it. */
  readonly isInputForNewOnly: boolean;
  /** Somebody starts the process again when the time has come, even where the core can't: on the base protocol. */
  readonly isWoken: boolean;
}

const stays: ImageSettings = { suspendAfterMs: Number.POSITIVE_INFINITY, isInputForNewOnly: false, isWoken: false };

/** Runs one instance as this process: a new one from its start, an unfinished one from where it was; for one that has ended the stored end is
 *  returned and nothing runs. While the core is away, saves are repeated for as long as the process lives. It never suspends. Over a core of
 *  1.4.1, or for an instance that was started without a workflow's name, the base protocol is spoken.
 *  Aborting `options.signal` is safe at any time.
 *  @throws ConfigError; ConnectionError when the core is not reachable at the start; StartConflictError for an id that belongs to another
 *  workflow or input; UnstorableValueError, ValueTooLargeError for the input; NotFoundError when the core has lost the instance */
export function runInstance(workflow: AnyWorkflow, options: RunInstanceOptions): Promise<Outcome> {
  return runAs(stays, definitionOf(workflow), options);
}

/** The same for a process that somebody else starts. */
export async function runAs(
  image: ImageSettings,
  definition: WorkflowDefinition,
  options: RunInstanceOptions,
): Promise<Outcome> {
  const process = new InstanceProcess(image, definition, options);
  try {
    return await process.run();
  } catch (error) {
    return await process.outcomeOf(error);
  } finally {
    await process.close();
  }
}

/** One call of {@link runInstance}. */
class InstanceProcess {
  readonly #image: ImageSettings;
  readonly #definition: WorkflowDefinition;
  readonly #options: RunInstanceOptions;
  readonly #settings: ReturnType<typeof completeSettings>;
  readonly #link: Link;
  readonly #calls: RemoteCalls;
  readonly #operator: RemoteOperator;
  readonly #instance: InstanceLink;
  readonly #clock = new ServerClock();
  readonly #graceMs: number;
  readonly #sealer: Sealer;
  readonly #wrapper: Wrapper;

  constructor(image: ImageSettings, definition: WorkflowDefinition, options: RunInstanceOptions) {
    this.#image = image;
    this.#definition = definition;
    this.#options = options;
    this.#settings = completeSettings(options);
    this.#sealer = createSealer(options.codecs);
    this.#wrapper = createWrapper(this.#sealer);
    const { servers, tenantId, requestTimeoutMs } = this.#settings;
    this.#link = new Link({ ...this.#settings, servers, access: accessOf(options) }, (event) => this.#tell(event));
    this.#graceMs = requestTimeoutMs || limits.requestTimeoutMsDefault;
    this.#calls = new RemoteCalls(this.#link, this.#graceMs);
    this.#operator = new RemoteOperator(this.#calls, tenantId, this.#graceMs);
    this.#instance = new InstanceLink(this.#link, options.instanceId, tenantId);
  }

  async run(): Promise<Outcome> {
    const { signal, instanceId } = this.#options;
    const onAbort = (): void => void this.#link.close();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      if (signal?.aborted) throw new LinkClosed();
      await this.#link.connect();
      const beginning = await this.#begin();
      if ("outcome" in beginning) return beginning.outcome;
      this.#tell({ type: "registered", instanceId, resumed: beginning.isResumed });
      return await this.#runOne(beginning);
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  /** What the failure means; thrown on, if it is nobody's outcome. */
  async outcomeOf(error: unknown): Promise<Outcome> {
    const head = { instanceId: this.#options.instanceId, earlier: false } as const;
    const isClosed = error instanceof LinkClosed || (error instanceof SourceError && error.code === "CLOSED");
    if (isClosed && this.#options.signal?.aborted) return { ...head, status: "stopped" };
    if (isRuntaraError(error, "FENCED")) return this.#lostOutcome(error as FencedError);
    if (!(error instanceof SourceError)) throw error;
    if (error.code === "FENCED") {
      return { ...head, status: "fenced", error: new FencedError(error.message, { cause: error }) };
    }
    if (error.code === "UNKNOWN") throw new NotFoundError(error.message, { cause: error });
    throw new ConfigError(error.message, { cause: error });
  }

  /** It was taken away, or has ended by other hands: then its end is the outcome. */
  async #lostOutcome(error: FencedError): Promise<Outcome> {
    const { instanceId } = this.#options;
    const { cause } = error;
    if (cause instanceof SourceError && cause.code === "UNKNOWN") {
      throw new NotFoundError(cause.message, { cause });
    }
    const fenced = { instanceId, earlier: false, status: "fenced", error } as const;
    if (this.#link.isClosed) return fenced;
    const status = await this.#instance.status();
    return (await endedOutcome(endOf(status), this.#instance, this.#wrapper, false)) ?? fenced;
  }

  async #begin(): Promise<Beginning> {
    const { input, instanceId, token } = this.#options;
    const { tenantId, signalPollIntervalMs } = this.#settings;
    const claim = "input" in this.#options && !this.#image.isInputForNewOnly ? { input } : undefined;
    const common = { definition: this.#definition, wrapper: this.#wrapper, input, claim };
    const extended = await beginExtended({
      ...common,
      calls: this.#calls,
      clock: this.#clock,
      operator: this.#operator,
      instanceId,
      tenantId,
      token,
      pollGraceMs: this.#graceMs,
    });
    if (extended) return extended;
    return beginBase({
      ...common,
      link: this.#instance,
      sealer: this.#sealer,
      pollIntervalMs: signalPollIntervalMs,
      onSleep: this.#image.isWoken ? () => {} : undefined,
    });
  }

  #runOne(begun: Exclude<Beginning, { readonly outcome: Outcome }>): Promise<Outcome> {
    const { concurrentSteps, heartbeatIntervalMs } = this.#settings;
    const { signal } = this.#options;
    return runOne({
      begun,
      link: this.#link,
      clock: this.#clock,
      operator: this.#operator,
      definition: this.#definition,
      sealer: this.#sealer,
      logger: this.#options.logger,
      concurrentSteps,
      heartbeatIntervalMs,
      suspendAfterMs: this.#image.suspendAfterMs,
      signal,
      tell: (event) => this.#tell(event),
    });
  }

  #tell(event: RunEvent): void {
    this.#options.onEvent?.(event);
  }
}
