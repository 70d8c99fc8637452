import type { Core, EventRequest, GetCheckpointResponse } from "@runtara/core";
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
} from "../ports/source.ts";
import { asked } from "./calls.ts";
import { sourceError } from "./core-failures.ts";

const everything: SessionServes = {
  batches: true,
  suspendUntil: true,
  retryTimes: true,
  children: true,
  publish: true,
  signalQueue: true,
};
const noBytes: Uint8Array = new Uint8Array(0);
const utf8 = new TextEncoder();

/** The calls of one claimed instance, made on core's services in this process. */
export class LocalSession implements InstanceSession {
  readonly serves: SessionServes = everything;
  readonly work: ClaimedWork;
  readonly #core: Core;

  constructor(core: Core, work: ClaimedWork) {
    this.#core = core;
    this.work = work;
  }

  save(batch: Batch, done: Done<BatchAnswer>): void {
    const { instanceId, facts } = this.work;
    const { entries, messages, beginsRun } = batch;
    this.#core.batches.save({ instanceId, epoch: facts.epoch, entries, messages, beginsRun }, (error, answer) => {
      if (error === undefined) done(undefined, answer);
      else done(sourceError(error), undefined);
    });
  }

  list(page: { readonly cursor?: string | undefined; readonly behind?: string | undefined }): Promise<OwnPage> {
    const request = { ...this.#caller, ...page, prefix: "", pageBytesMax: 0 };
    return asked((answer) => this.#core.ownCheckpoints.list(request, answer));
  }

  async find(checkpointId: string): Promise<Uint8Array | undefined> {
    const { instanceId } = this.work;
    const { found, state } = await asked<GetCheckpointResponse>((answer) =>
      this.#core.checkpoints.get({ instanceId, checkpointId }, answer),
    );
    return found ? state : undefined;
  }

  recordRetry(record: RetryRecord): Promise<void> {
    return asked((answer) => this.#core.checkpoints.recordRetry({ ...this.#caller, ...record }, answer));
  }

  suspendUntil(suspension: Suspension): Promise<SuspensionAnswer> {
    return asked((answer) => this.#core.suspension.suspendUntil({ ...this.#caller, ...suspension }, answer));
  }

  async startChild({ resultSignal, detached, ...child }: ChildStart): Promise<{ readonly created: boolean }> {
    const { tenantId } = this.work;
    const parent = { ...this.#caller, resultSignal, detached };
    return asked((answer) => this.#core.work.start({ ...child, tenantId, parent }, answer));
  }

  note(subtype: string, payload: Uint8Array): Promise<void> {
    return this.#append("custom", { subtype, payload });
  }

  async acknowledge(signal: SignalType): Promise<void> {
    const request = { ...this.#caller, signal, acknowledged: true };
    await asked((answer) => this.#core.signals.acknowledge(request, answer));
  }

  async report(report: Report): Promise<void> {
    switch (report.is) {
      case "completed":
        return this.#append("completed", { payload: report.output ?? noBytes });
      case "failed":
        return this.#append("failed", { payload: utf8.encode(report.error), failure: report.failure });
      case "cancelled":
        return this.acknowledge("cancel");
      case "paused":
        await this.acknowledge("pause");
        return this.#append("suspended", { reason: "paused" });
      case "diverged":
        await this.note("runtara_divergence", report.report);
        return this.#append("suspended", { reason: "diverged" });
    }
  }

  /** The lease says it for all instances. */
  heartbeat(): void {}

  get #caller(): { readonly instanceId: string; readonly epoch: number } {
    return { instanceId: this.work.instanceId, epoch: this.work.facts.epoch };
  }

  async #append(
    type: EventRequest["type"],
    more: Partial<Pick<EventRequest, "payload" | "subtype" | "failure" | "reason">>,
  ): Promise<void> {
    const request = { ...this.#caller, payload: noBytes, ...more, type, timestampMs: this.#core.clock.now() };
    await asked((answer) => this.#core.events.append(request, answer));
  }
}
