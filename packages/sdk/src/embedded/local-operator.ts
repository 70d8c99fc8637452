import { type Core, createManagement, type Management } from "@runtara/core";
import type { Store } from "@runtara/store";
import type { Status } from "../api/client.ts";
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
} from "../ports/operator.ts";
import { asked, managed } from "./calls.ts";
import { closedError } from "./core-failures.ts";

export interface LocalOperatorOptions {
  /** Started and closed by its owner. */
  readonly core: Core;
  /** The one that `core` works on. */
  readonly store: Store;
  readonly tenantId: string;
}

/** What clients ask and order, through core's services in this process. */
export class LocalOperator implements Operator {
  readonly #core: Core;
  readonly #tenantId: string;
  readonly #management: Management;
  /** Of open polls. */
  readonly #givingUp = new Set<() => void>();
  #closed = false;

  constructor({ core, store, tenantId }: LocalOperatorOptions) {
    this.#core = core;
    this.#tenantId = tenantId;
    this.#management = createManagement({
      store,
      start: (request, answer) => core.work.start(request, answer),
      onUnsettled: () => core.background.settle.wake(),
      clock: core.clock,
    });
  }

  start(request: StartRequest): Promise<{ readonly created: boolean; readonly status: Status }> {
    return asked((answer) => {
      if (this.#closed) throw closedError();
      this.#core.work.start({ ...request, tenantId: this.#tenantId }, answer);
    });
  }

  waitResult(instanceId: string, waitMs: number, signal: AbortSignal): Promise<End> {
    return this.#polled(signal, (given) => this.#asked.waits.result({ ...this.#ref(instanceId), waitMs }, given));
  }

  read(instanceId: string): Promise<Details | undefined> {
    return managed(() => this.#asked.instances.read(this.#ref(instanceId)));
  }

  async readStart(instanceId: string): Promise<StartRecord | undefined> {
    const request = { ...this.#ref(instanceId), withStart: true };
    const instance = await managed(() => this.#asked.instances.read(request));
    const { start } = instance ?? {};
    if (instance === undefined || start === undefined || start.seed === null) return undefined;
    const { tenantId, firstStartedAtMs, createdAtMs } = instance;
    return { tenantId, input: start.input, seed: start.seed, firstStartedAtMs: firstStartedAtMs ?? createdAtMs };
  }

  async order(instanceId: string, order: "cancel" | "kill" | "pause" | "resume", reason?: string): Promise<void> {
    await managed(() => this.#asked.control.order(order, this.#ref(instanceId), reason));
  }

  sendSignal({
    instanceId,
    ...signal
  }: {
    readonly instanceId: string;
    readonly name: string;
    readonly payload: Uint8Array;
    readonly messageId: string;
  }): Promise<void> {
    return managed(() => this.#asked.control.sendNamedSignal({ ...this.#ref(instanceId), ...signal, queued: true }));
  }

  async published(instanceId: string, key: string): Promise<Uint8Array | undefined> {
    const [found] = await managed(() => this.#asked.records.published({ ...this.#ref(instanceId), key }));
    return found?.value;
  }

  async query(request: Parameters<Operator["query"]>[0]): Promise<Page<Details>> {
    const query = { ...request, tenantId: this.#tenantId, limit: 0 };
    const { instances, nextCursor } = await managed(() => this.#asked.instances.query(query));
    return { rows: instances, nextCursor };
  }

  async history(instanceId: string, cursor: string | undefined): Promise<Page<HistoryItem>> {
    const request = { ...this.#ref(instanceId), ...(cursor === undefined ? {} : { cursor }), limit: 0 };
    const { entries, nextCursor } = await managed(() => this.#asked.records.history(request));
    return { rows: entries, nextCursor };
  }

  async loadState(instanceId: string, checkpointId: string): Promise<Uint8Array | undefined> {
    const found = await managed(() => this.#asked.records.getCheckpoint({ ...this.#ref(instanceId), checkpointId }));
    return found?.state;
  }

  watch(
    instanceId: string,
    cursor: string | undefined,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<{ readonly changes: readonly WatchedChange[]; readonly nextCursor: string; readonly ended: boolean }> {
    const request = { ...this.#ref(instanceId), ...(cursor === undefined ? {} : { cursor }), waitMs };
    return this.#polled(signal, (given) => this.#asked.waits.watch(request, given));
  }

  async putSchedule(schedule: ScheduleRecord): Promise<void> {
    const request = { ...schedule, input: schedule.input ?? undefined, tenantId: this.#tenantId };
    await managed(() => this.#asked.schedules.put(request));
  }

  async listSchedules(cursor: string | undefined): Promise<Page<ScheduleRecord>> {
    const request = { tenantId: this.#tenantId, cursor, limit: 0 };
    const { schedules, nextCursor } = await managed(() => this.#asked.schedules.list(request));
    return { rows: schedules, nextCursor };
  }

  async deleteSchedule(scheduleId: string): Promise<void> {
    await managed(() => this.#asked.schedules.delete({ tenantId: this.#tenantId, scheduleId }));
  }

  /** Open polls end with what they have seen last, later calls are refused; to be called before the store is closed. */
  close(): void {
    this.#closed = true;
    for (const giveUp of this.#givingUp) giveUp();
    this.#management.close();
  }

  get #asked(): Management {
    if (this.#closed) throw closedError();
    return this.#management;
  }

  /** A long poll that ends when the caller gives it up, and when this is closed. */
  async #polled<Result>(signal: AbortSignal, poll: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const controller = new AbortController();
    const giveUp = (): void => controller.abort();
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp);
    this.#givingUp.add(giveUp);
    try {
      return await managed(() => poll(controller.signal));
    } finally {
      this.#givingUp.delete(giveUp);
      signal.removeEventListener("abort", giveUp);
    }
  }

  #ref(instanceId: string): { readonly instanceId: string; readonly tenantId: string } {
    return { instanceId, tenantId: this.#tenantId };
  }
}
