import { type FeatureName, type ManagementClient, managementClient, managementThrough } from "@runtara/protocol";
import type { Status } from "../../api/client.ts";
import type {
  Details,
  End,
  HistoryItem,
  Operator,
  Page,
  ScheduleRecord,
  StartRecord,
  StartRequest,
  WatchedChange,
} from "../../ports/operator.ts";
import { SourceError } from "../../ports/source-error.ts";
import { statusNumbers } from "../../wire/words.ts";
import { sourceError } from "./failures.ts";
import {
  detailsOf,
  historyItem,
  publishedValue,
  scheduleRecord,
  statusOf,
  watchedChange,
} from "./operator-messages.ts";
import { present } from "./present.ts";
import type { RemoteCalls } from "./remote-calls.ts";

/** What clients ask and order, as calls of the management protocol inside those of the instance protocol: a worker needs one port. */
export class RemoteOperator implements Operator {
  readonly #calls: RemoteCalls;
  readonly #tenantId: string;
  readonly #graceMs: number;
  readonly #clients = new Map<FeatureName, ManagementClient>();

  /** `graceMs`: how much longer than it was asked to the core may take for a long poll. */
  constructor(calls: RemoteCalls, tenantId: string, graceMs: number) {
    this.#calls = calls;
    this.#tenantId = tenantId;
    this.#graceMs = graceMs;
  }

  async start(request: StartRequest): Promise<{ readonly created: boolean; readonly status: Status }> {
    const { instanceId, workflow, version, input, tags, startAtMs, timeoutMs } = request;
    const { created, status } = await this.#of("start-workflow").startWorkflow({
      tenantId: this.#tenantId,
      instanceId,
      workflow,
      tags: { ...tags },
      ...present({ version, input }),
      ...(startAtMs === undefined ? {} : { startAtMs: BigInt(Math.ceil(startAtMs)) }),
      ...(timeoutMs === undefined ? {} : { timeoutMs: BigInt(Math.ceil(timeoutMs)) }),
    });
    return { created, status: statusOf(instanceId, status) };
  }

  async waitResult(instanceId: string, waitMs: number, signal: AbortSignal): Promise<End> {
    const ask = () =>
      this.#of("start-workflow").waitResult({ ...this.#ref(instanceId), waitMs }, this.#poll(waitMs, signal));
    const answer = await unlessAborted(signal, ask);
    if (!answer) return { status: "running", reason: null, output: null, error: null, failure: null };
    const { output = null, error = null, failure = null } = answer;
    const status = statusOf(instanceId, answer.status);
    return { status, ...(await this.#reasonOf(instanceId, status)), output, error, failure };
  }

  async read(instanceId: string): Promise<Details | undefined> {
    const { details } = await this.#of("query-instances").getInstanceStatus(this.#ref(instanceId));
    return details && detailsOf(details);
  }

  async readStart(instanceId: string): Promise<StartRecord | undefined> {
    const { details, start } = await this.#of("history").getInstanceStatus({
      ...this.#ref(instanceId),
      wantsStart: true,
    });
    if (details === undefined) return undefined;
    if (start === undefined) {
      const text = "the core does not tell what an instance was started with: it is older than this SDK";
      throw new SourceError("UNSUPPORTED", text, { feature: "history" });
    }
    const { input = null, seed, firstStartedAtMs = details.createdAtMs } = start;
    return { tenantId: details.tenantId, input, seed, firstStartedAtMs: Number(firstStartedAtMs) };
  }

  async order(instanceId: string, order: "cancel" | "kill" | "pause" | "resume", reason = ""): Promise<void> {
    const calls = this.#of("instance-control");
    const ref = this.#ref(instanceId);
    switch (order) {
      case "cancel":
        await calls.cancelInstance({ ...ref, reason });
        return;
      case "kill":
        await calls.killInstance({ ...ref, reason });
        return;
      case "pause":
        await calls.pauseInstance(ref);
        return;
      case "resume":
        await calls.resumeInstance(ref);
    }
  }

  async sendSignal(request: {
    readonly instanceId: string;
    readonly name: string;
    readonly payload: Uint8Array;
    readonly messageId: string;
  }): Promise<void> {
    const { instanceId, name, payload, messageId } = request;
    const { success, error } = await this.#of("signal-queue").sendCustomSignal({
      ...this.#ref(instanceId),
      checkpointId: name,
      payload,
      messageId,
      queued: true,
    });
    if (success) return;
    // The reason is told in words alone; what the instance has become says more.
    const details = await this.read(instanceId);
    if (!details) throw new SourceError("UNKNOWN", error);
    const isOver = ["completed", "failed", "cancelled"].includes(details.status);
    throw new SourceError(isOver ? "ENDED" : "REFUSED", error);
  }

  async published(instanceId: string, key: string): Promise<Uint8Array | undefined> {
    const { values } = await this.#of("published-values").getPublished({ ...this.#ref(instanceId), key });
    const [found] = values.map(publishedValue);
    return found?.value;
  }

  async query(request: Parameters<Operator["query"]>[0]): Promise<Page<Details>> {
    const { workflow, statuses, createdAfterMs, createdBeforeMs, tags, cursor } = request;
    const { instances, nextCursor } = await this.#of("query-instances").queryInstances({
      tenantId: this.#tenantId,
      statuses: statuses.map((status) => statusNumbers[status]),
      tags: { ...tags },
      ...present({ workflow, cursor }),
      ...(createdAfterMs === undefined ? {} : { createdAfterMs: BigInt(createdAfterMs) }),
      ...(createdBeforeMs === undefined ? {} : { createdBeforeMs: BigInt(createdBeforeMs) }),
    });
    return { rows: instances.map(detailsOf), nextCursor };
  }

  async history(instanceId: string, cursor: string | undefined): Promise<Page<HistoryItem>> {
    const request = { ...this.#ref(instanceId), ...present({ cursor }) };
    const { entries, nextCursor } = await this.#of("history").listHistory(request);
    return { rows: entries.map(historyItem).filter(isKnown), nextCursor };
  }

  async loadState(instanceId: string, checkpointId: string): Promise<Uint8Array | undefined> {
    const { found, data } = await this.#of("history").getCheckpoint({ ...this.#ref(instanceId), checkpointId });
    return found ? data : undefined;
  }

  async watch(
    instanceId: string,
    cursor: string | undefined,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<{ readonly changes: readonly WatchedChange[]; readonly nextCursor: string; readonly ended: boolean }> {
    const request = { ...this.#ref(instanceId), waitMs, ...present({ cursor }) };
    const ask = () => this.#of("watch").watchInstance(request, this.#poll(waitMs, signal));
    const answer = await unlessAborted(signal, ask);
    if (!answer) return { changes: [], nextCursor: cursor ?? "", ended: false };
    const { changes, nextCursor, ended } = answer;
    return { changes: changes.map(watchedChange).filter(isKnown), nextCursor, ended };
  }

  async putSchedule(record: ScheduleRecord): Promise<void> {
    const { scheduleId, workflow, input, cron, timezone, overlap, catchUp, inactive } = record;
    const schedule = { scheduleId, workflow, cron, timezone, overlap, catchUp, inactive };
    await this.#of("schedules").putSchedule({
      tenantId: this.#tenantId,
      schedule: { ...schedule, ...(input === null ? {} : { input }) },
    });
  }

  async listSchedules(cursor: string | undefined): Promise<Page<ScheduleRecord>> {
    const request = { tenantId: this.#tenantId, ...present({ cursor }) };
    const { schedules, nextCursor } = await this.#of("schedules").listSchedules(request);
    return { rows: schedules.map(scheduleRecord), nextCursor };
  }

  async deleteSchedule(scheduleId: string): Promise<void> {
    await this.#of("schedules").deleteSchedule({ tenantId: this.#tenantId, scheduleId });
  }

  /** Management calls, each made once; failures name the feature. */
  #of(feature: FeatureName): ManagementClient {
    const made = this.#clients.get(feature);
    if (made) return made;
    const calls = this.#calls;
    const through = managementThrough("instance", {
      call: (message, options) => calls.once(message, feature, options),
    });
    const client = managementClient({
      // What management refuses stands inside of an answer that is none.
      call: (message, options) =>
        through.call(message, options).catch((failure: unknown) => {
          throw sourceError(failure, feature);
        }),
    });
    this.#clients.set(feature, client);
    return client;
  }

  /** Why it ended; the answer with the result does not say it. */
  async #reasonOf(instanceId: string, status: Status): Promise<Pick<End, "reason" | "reasonText">> {
    if (status !== "failed" && status !== "cancelled") return { reason: null };
    const { details } = await this.#of("query-instances").getInstanceStatus(this.#ref(instanceId));
    return { reason: details?.reason ?? null, reasonText: details?.reasonText ?? null };
  }

  #ref(instanceId: string): { readonly instanceId: string; readonly tenantId: string } {
    return { instanceId, tenantId: this.#tenantId };
  }

  #poll(waitMs: number, signal: AbortSignal): { readonly timeoutMs: number; readonly signal: AbortSignal } {
    return { timeoutMs: waitMs + this.#graceMs, signal };
  }
}

/** Undefined when the caller gave up meanwhile. */
async function unlessAborted<Answer>(signal: AbortSignal, ask: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

function isKnown<T>(value: T | undefined): value is T {
  return value !== undefined;
}
