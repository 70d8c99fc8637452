import { type Answer, type FeatureName, type Features, instance, type RequestMessage } from "@runtara/protocol";
import { limits } from "../../limits.ts";
import type {
  Batch,
  BatchAnswer,
  ChildStart,
  ClaimedWork,
  Done,
  InstanceSession,
  OwnPage,
  Report,
  RetryRecord,
  SessionServes,
  SignalType,
  Suspension,
  SuspensionAnswer,
} from "../../ports/source.ts";
import { SourceError } from "../../ports/source-error.ts";
import { signalNumbers } from "../../wire/words.ts";
import { batchAnswer, batchMessage } from "./batch.ts";
import type { BatchCollector } from "./batch-collector.ts";
import { unsupportedText } from "./failures.ts";
import type { RemoteCalls } from "./remote-calls.ts";
import { pendingOf, queuedOf } from "./start-facts.ts";

const { EVENT_COMPLETED, EVENT_CUSTOM, EVENT_FAILED, EVENT_HEARTBEAT, EVENT_SUSPENDED } = instance.InstanceEventType;
const noBytes: Uint8Array = new Uint8Array(0);
const utf8 = new TextEncoder();

interface Caller {
  readonly instanceId: string;
  readonly epoch: bigint;
}

export interface RemoteSessionOptions {
  readonly calls: RemoteCalls;
  readonly work: ClaimedWork;
  /** What the core has announced. */
  readonly features: Features;
  /** Gathers what several instances save. Absent: each batch is a call of its own. */
  readonly collector?: BatchCollector | undefined;
  /** For a process that has registered its one instance: nothing but its own calls says that it is alive, and when the core has given it up
   *  as lost it registers again. Resolves to the new epoch. Absent for claimed instances. */
  readonly registerAgain?: (() => Promise<number>) | undefined;
}

/** One instance over the extensions of the instance protocol; each call carries the epoch of the claim or registration. */
export class RemoteSession implements InstanceSession {
  readonly work: ClaimedWork;
  readonly serves: SessionServes;
  readonly #calls: RemoteCalls;
  readonly #features: Features;
  readonly #collector: BatchCollector | undefined;
  readonly #registerAgain: (() => Promise<number>) | undefined;
  #caller: Caller;
  #registering: Promise<void> | undefined;

  constructor({ calls, work, features, collector, registerAgain }: RemoteSessionOptions) {
    this.#calls = calls;
    this.work = work;
    this.#features = features;
    this.#collector = collector;
    this.#registerAgain = registerAgain;
    this.#caller = { instanceId: work.instanceId, epoch: BigInt(work.facts.epoch) };
    this.serves = {
      batches: features.has("checkpoint-batch") && features.has("list-own-checkpoints"),
      suspendUntil: features.has("suspend-until"),
      retryTimes: features.has("retry-time"),
      children: features.has("children"),
      publish: features.has("publish"),
      signalQueue: features.has("wait-signals"),
    };
  }

  /** Of the last registration. */
  get epoch(): number {
    return Number(this.#caller.epoch);
  }

  save(batch: Batch, done: Done<BatchAnswer>): void {
    if (this.#collector) {
      this.#collector.save(batchMessage(this.#caller, batch), done);
      return;
    }
    this.#once((caller) => batchMessage(caller, batch), "checkpoint-batch").then(
      (answer) => done(undefined, batchAnswer(answer)),
      (error: SourceError) => done(error, undefined),
    );
  }

  async list(page: { readonly cursor?: string | undefined; readonly behind?: string | undefined }): Promise<OwnPage> {
    const message = (caller: Caller): instance.ListOwnCheckpointsRequest => ({
      $typeName: "runtara.instance.ListOwnCheckpointsRequest",
      ...caller,
      checkpointIdPrefix: "",
      pageBytesMax: 0,
      ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
      ...(page.behind === undefined ? {} : { behindCheckpointId: page.behind }),
    });
    const { checkpoints, retries, nextCursor } = await this.#once(message, "list-own-checkpoints");
    return {
      checkpoints: checkpoints.map(({ checkpointId, state, stateBytes, createdAtMs }) => ({
        checkpointId,
        state,
        stateBytes: Number(stateBytes),
        createdAtMs: Number(createdAtMs),
      })),
      retries: retries.map(({ checkpointId, attemptNumber, createdAtMs, nextAtMs }) => ({
        checkpointId,
        attempt: attemptNumber,
        createdAtMs: Number(createdAtMs),
        nextAtMs: nextAtMs === undefined ? null : Number(nextAtMs),
      })),
      nextCursor,
    };
  }

  async find(checkpointId: string): Promise<Uint8Array | undefined> {
    const { instanceId } = this.work;
    const answer = await this.#calls.once({
      $typeName: "runtara.instance.GetCheckpointRequest",
      instanceId,
      checkpointId,
    });
    return answer.found ? answer.state : undefined;
  }

  async recordRetry({ checkpointId, attempt, nextAtMs, error }: RetryRecord): Promise<void> {
    await this.#once((caller) => ({
      $typeName: "runtara.instance.RetryAttemptEvent",
      ...caller,
      checkpointId,
      attemptNumber: attempt,
      timestampMs: BigInt(Date.now()),
      nextAtMs: BigInt(Math.ceil(nextAtMs)),
      errorMessage: error.slice(0, limits.errorTextCharsMax),
    }));
  }

  async suspendUntil(suspension: Suspension): Promise<SuspensionAnswer> {
    const { untilMs, names, recordedSignal, afterSignalId } = suspension;
    const message = (caller: Caller): instance.SuspendUntilRequest => ({
      $typeName: "runtara.instance.SuspendUntilRequest",
      ...caller,
      signalNames: [...names],
      afterSignalId: BigInt(afterSignalId),
      ...(untilMs === undefined ? {} : { untilMs: BigInt(Math.ceil(untilMs)) }),
      ...(recordedSignal === undefined ? {} : { recordedSignal: signalNumbers[recordedSignal] }),
    });
    const { suspended, signals } = await this.#once(message, "suspend-until");
    if (suspended) return { suspended };
    const signal = signals?.signal && pendingOf(signals.signal);
    return { suspended, signal, queued: signals?.queued.map(queuedOf) ?? [] };
  }

  async startChild(child: ChildStart): Promise<{ readonly created: boolean }> {
    const { resultSignal, detached, instanceId, workflow, version, input, tags } = child;
    this.#require("children");
    const message = (caller: Caller): instance.StartChildRequest => ({
      $typeName: "runtara.instance.StartChildRequest",
      ...caller,
      resultSignal,
      detached,
      child: {
        $typeName: "runtara.management.StartWorkflowRequest",
        tenantId: this.work.tenantId,
        instanceId,
        workflow,
        tags: { ...tags },
        ...(version === undefined ? {} : { version }),
        ...(input === undefined ? {} : { input }),
      },
    });
    const { started } = await this.#once(message, "children");
    return { created: started?.created ?? false };
  }

  async note(subtype: string, payload: Uint8Array): Promise<void> {
    await this.#event(EVENT_CUSTOM, { subtype, payload });
  }

  async acknowledge(type: SignalType): Promise<void> {
    const signalType = signalNumbers[type];
    await this.#once((caller) => ({
      $typeName: "runtara.instance.SignalAck",
      ...caller,
      signalType,
      acknowledged: true,
    }));
  }

  async report(report: Report): Promise<void> {
    switch (report.is) {
      case "completed":
        return this.#event(EVENT_COMPLETED, { payload: report.output ?? noBytes });
      case "failed":
        return this.#event(EVENT_FAILED, { payload: utf8.encode(report.error), failure: report.failure });
      case "cancelled":
        return this.acknowledge("cancel");
      case "paused":
        await this.acknowledge("pause");
        return this.#event(EVENT_SUSPENDED, { reason: "paused" });
      case "diverged":
        await this.note("runtara_divergence", report.report);
        return this.#event(EVENT_SUSPENDED, { reason: "diverged" });
    }
  }

  heartbeat(): void {
    if (this.#registerAgain) this.#event(EVENT_HEARTBEAT, {}).catch(() => {});
  }

  /** One call; made again when the instance had been given up as lost. */
  async #once<M extends RequestMessage>(message: (caller: Caller) => M, feature?: FeatureName): Promise<Answer<M>> {
    try {
      return await this.#calls.once(message(this.#caller), feature);
    } catch (error) {
      if (!this.#registerAgain || !(error instanceof SourceError) || error.code !== "ENDED") throw error;
      this.#registering ??= this.#renewEpoch(this.#registerAgain);
      await this.#registering;
      return await this.#calls.once(message(this.#caller), feature);
    }
  }

  /** One registration for all calls that were refused. */
  async #renewEpoch(registerAgain: () => Promise<number>): Promise<void> {
    try {
      this.#caller = { ...this.#caller, epoch: BigInt(await registerAgain()) };
    } finally {
      this.#registering = undefined;
    }
  }

  #require(feature: FeatureName): void {
    if (!this.#features.has(feature)) throw new SourceError("UNSUPPORTED", unsupportedText(feature), { feature });
  }

  async #event(
    eventType: instance.InstanceEventType,
    more: { payload?: Uint8Array; subtype?: string; failure?: Uint8Array; reason?: string },
  ): Promise<void> {
    const { success, error } = await this.#once((caller) => ({
      $typeName: "runtara.instance.InstanceEvent",
      ...caller,
      eventType,
      payload: noBytes,
      timestampMs: BigInt(Date.now()),
      ...more,
    }));
    if (!success) throw new SourceError("REFUSED", error ?? "the core did not take the event");
  }
}
