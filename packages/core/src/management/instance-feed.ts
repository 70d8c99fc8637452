import type { Instance, InstanceDetails, Notice, Store } from "@runtara/store";
import { limits } from "../limits.ts";
import type { Clock } from "../timers/clock.ts";
import { invalidText } from "../validation.ts";
import { ask, refuse } from "./ask.ts";
import { ChangedInstances, isFeedCursor } from "./changed-instances.ts";
import { badCursor } from "./instances.ts";
import { pollEndMs } from "./waits.ts";

interface Filter {
  /** Absent = those of all tenants. */
  readonly tenantId?: string;
  readonly workflow?: string;
}
export interface FeedRequest extends Filter {
  /** `nextCursor` of the answer before; absent = from now on. */
  readonly cursor?: string;
  /** 0 = `limits.pollWaitMs`; at most `limits.pollWaitMsMax`. */
  readonly waitMs: number;
}
export interface FeedPage {
  /** As they are now; at most `limits.changesMax`. */
  readonly instances: readonly InstanceDetails[];
  readonly nextCursor: string;
  /** Changes may have been missed: to be listed anew. */
  readonly reset: boolean;
}

/**
 * Changes of many instances, for whoever shows a list of them. Remembers which ones have changed from the first poll until nobody has polled
 * for `limits.feedIdleMs`, and does not listen otherwise. Giving a poll up (`signal`) changes nothing.
 */
export class InstanceFeed {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #sleepers = new Set<() => void>();
  #listening: { readonly changed: ChangedInstances; readonly stop: () => void } | undefined;
  #stopIdling: (() => void) | undefined;
  #open = 0;
  #closed = false;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Number of polls that are open. */
  get open(): number {
    return this.#open;
  }

  /**
   * The instances that have changed since the cursor, once there are any that fit, and a little later, so that a busy server answers with
   * many at once; none when the time is up.
   *
   * @throws CoreError VALIDATION_ERROR: the cursor is none that a feed makes
   */
  async poll({ cursor, waitMs, ...filter }: FeedRequest, signal: AbortSignal): Promise<FeedPage> {
    refuse(invalidText("tenant_id", filter.tenantId) ?? invalidText("workflow", filter.workflow));
    if (cursor !== undefined && !isFeedCursor(cursor)) throw badCursor();
    this.#open += 1;
    try {
      const changed = this.#listen();
      return cursor === undefined
        ? resetAt(changed)
        : await this.#follow(changed, cursor, filter, pollEndMs(this.#clock, waitMs), signal);
    } finally {
      this.#open -= 1;
      this.#idle();
    }
  }

  /** Listens no more. Polls that are open end with their time, or when they are given up. */
  close(): void {
    this.#closed = true;
    this.#idle();
  }

  async #follow(
    changed: ChangedInstances,
    cursor: string,
    filter: Filter,
    endMs: number,
    signal: AbortSignal,
  ): Promise<FeedPage> {
    let nextCursor = cursor;
    for (;;) {
      if (changed.countAfter(nextCursor) === 0) {
        await this.#pause(endMs - this.#clock.now(), signal, this.#sleepers);
      }
      const gathered = changed.after(nextCursor, limits.changesMax);
      if (gathered !== undefined && gathered.instanceIds.length < limits.changesMax) {
        await this.#pause(Math.min(endMs - this.#clock.now(), limits.feedGatherMs), signal);
      }
      if (signal.aborted) return { instances: [], nextCursor, reset: false };
      const page = changed.after(nextCursor, limits.changesMax);
      if (page === undefined) return resetAt(changed);
      const instances = await this.#read(page.instanceIds, filter);
      ({ nextCursor } = page);
      if (instances.length > 0 || this.#clock.now() >= endMs) return { instances, nextCursor, reset: false };
    }
  }

  /** Those that fit and are there, in the same order; a few at a time, because each comes with its output. */
  async #read(instanceIds: readonly string[], { tenantId, workflow }: Filter): Promise<InstanceDetails[]> {
    const found: InstanceDetails[] = [];
    const tenant = tenantId === undefined ? {} : { tenantId };
    for (let from = 0; from < instanceIds.length; from += limits.feedReads) {
      const some = instanceIds.slice(from, from + limits.feedReads);
      const reads = await Promise.all(
        some.map((instanceId) => ask(this.#store, { kind: "readInstance", instanceId, ...tenant })),
      );
      for (const read of reads) {
        if (read.outcome !== "found") continue;
        if (workflow === undefined || read.instance.workflow === workflow) found.push(withoutResult(read.instance));
      }
    }
    return found;
  }

  /** Until the time is up, the poll is given up, or one of `sleepers` is woken. */
  async #pause(pauseMs: number, signal: AbortSignal, sleepers?: Set<() => void>): Promise<void> {
    if (pauseMs <= 0 || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    const stopClock = this.#clock.after(pauseMs, wake);
    signal.addEventListener("abort", wake);
    sleepers?.add(wake);
    await promise;
    sleepers?.delete(wake);
    signal.removeEventListener("abort", wake);
    stopClock();
  }

  #listen(): ChangedInstances {
    this.#stopIdling?.();
    this.#stopIdling = undefined;
    if (this.#listening === undefined) {
      const changed = new ChangedInstances(limits.feedInstancesMax);
      const stop = this.#store.watch((notice) => this.#note(changed, notice));
      this.#listening = { changed, stop };
    }
    return this.#listening.changed;
  }

  #note(changed: ChangedInstances, notice: Notice): void {
    if (notice.topic === "instance") changed.note(notice.instanceId);
    else if (notice.topic === "anything") changed.noteAnything();
    else return;
    for (const wake of this.#sleepers) wake();
  }

  /** Once nobody polls: after a while everything is forgotten. */
  #idle(): void {
    if (this.#open > 0) return;
    this.#stopIdling?.();
    this.#stopIdling = this.#closed ? undefined : this.#clock.after(limits.feedIdleMs, () => this.#stop());
    if (this.#closed) this.#stop();
  }

  #stop(): void {
    this.#listening?.stop();
    this.#listening = undefined;
  }
}

/** So that a page of long outputs is not kept in memory until the last of them is read. */
function withoutResult({ output, error, failure, ...details }: Instance): InstanceDetails {
  return details;
}

/** From now on. */
function resetAt({ cursor }: ChangedInstances): FeedPage {
  return { instances: [], nextCursor: cursor, reset: true };
}
