import {
  type HistoryEntry,
  type Instance,
  type InstanceDetails,
  isFinal,
  type PublishedValue,
  type Store,
} from "@runtara/store";
import { CoreError } from "../core-error.ts";
import { limits } from "../limits.ts";
import type { Clock } from "../timers/clock.ts";
import { ask } from "./ask.ts";
import { badCursor, type InstanceRef } from "./instances.ts";
import { type Awaited, InstanceNotices, type Waiter } from "./notices.ts";

export interface WaitRequest extends InstanceRef {
  /** 0 = `limits.pollWaitMs`; at most `limits.pollWaitMsMax`. */
  readonly waitMs: number;
}
export interface WatchRequest extends WaitRequest {
  /** `nextCursor` of the answer before; absent = from now on, beginning with the present details. */
  readonly cursor?: string;
}

export type Change = { readonly atMs: number } & (
  | { readonly kind: "history"; readonly entry: HistoryEntry }
  | { readonly kind: "published"; readonly value: PublishedValue }
  | { readonly kind: "details"; readonly details: InstanceDetails }
);
export interface Changes {
  readonly changes: readonly Change[];
  readonly nextCursor: string;
  readonly ended: boolean;
}

/** Long polls of operators. Giving one up (`signal`) changes nothing; it resolves with what was seen last then. */
export class InstanceWaits {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #notices: InstanceNotices;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#notices = new InstanceNotices(store);
  }

  /** Number of polls that are open. */
  get open(): number {
    return this.#notices.open;
  }

  /**
   * The instance once it has ended, or as it is when the time is up.
   *
   * @throws CoreError INSTANCE_NOT_FOUND
   */
  async result({ waitMs, ...ref }: WaitRequest, signal: AbortSignal): Promise<Instance> {
    const look = async () => {
      const read = await ask(this.#store, { kind: "readInstance", ...ref });
      if (read.outcome === "unknownInstance") throw CoreError.instanceNotFound(ref.instanceId);
      return { seen: read.instance, isDone: isFinal(read.instance.status) };
    };
    // Ends are announced by every process, so no look of its own accord is needed.
    const what = { instanceId: ref.instanceId, awaited: "end", lookEveryMs: Number.POSITIVE_INFINITY } as const;
    return this.#until(what, waitMs, signal, look);
  }

  /**
   * What has happened since the cursor, as soon as there is something; nothing when the time is up.
   *
   * @throws CoreError INSTANCE_NOT_FOUND; VALIDATION_ERROR: the cursor is none of this store's
   */
  async watch({ waitMs, cursor, ...ref }: WatchRequest, signal: AbortSignal): Promise<Changes> {
    const from = { ...(cursor === undefined ? {} : { cursor }), limit: limits.changesMax };
    const look = async () => {
      const read = await ask(this.#store, { kind: "readChanges", ...ref, ...from, bytesMax: limits.historyStateBytes });
      if (read.outcome === "unknownInstance") throw CoreError.instanceNotFound(ref.instanceId);
      if (read.outcome === "badCursor") throw badCursor();
      const { nextCursor, ended } = read;
      const changes = inOrder(read.entries, read.published, read.details, this.#clock.now());
      const isDone = cursor === undefined || changes.length > 0 || ended;
      return { seen: { changes, nextCursor, ended }, isDone };
    };
    const what = { instanceId: ref.instanceId, awaited: "change", lookEveryMs: limits.watchLookMs } as const;
    return this.#until(what, waitMs, signal, look);
  }

  async #until<Seen>(
    { instanceId, awaited, lookEveryMs }: { instanceId: string; awaited: Awaited; lookEveryMs: number },
    waitMs: number,
    signal: AbortSignal,
    look: () => Promise<{ readonly seen: Seen; readonly isDone: boolean }>,
  ): Promise<Seen> {
    const endMs = pollEndMs(this.#clock, waitMs);
    const waiter = this.#notices.wait(instanceId, awaited);
    try {
      for (;;) {
        const { seen, isDone } = await waiter.look(look);
        const leftMs = endMs - this.#clock.now();
        if (isDone || leftMs <= 0 || signal.aborted) return seen;
        await this.#pause(waiter, Math.min(leftMs, lookEveryMs), signal);
        if (signal.aborted) return seen;
      }
    } finally {
      waiter.close();
    }
  }

  async #pause(waiter: Waiter, pauseMs: number, signal: AbortSignal): Promise<void> {
    const { told, giveUp } = waiter.told();
    const stopClock = this.#clock.after(pauseMs, giveUp);
    signal.addEventListener("abort", giveUp);
    await told;
    stopClock();
    signal.removeEventListener("abort", giveUp);
  }
}

/** When the time of a poll is up that begins now. */
export function pollEndMs(clock: Clock, waitMs: number): number {
  return clock.now() + (waitMs === 0 ? limits.pollWaitMs : Math.min(waitMs, limits.pollWaitMsMax));
}

/** By time, the details last: they are what all the others have led to. */
function inOrder(
  entries: readonly HistoryEntry[],
  published: readonly PublishedValue[],
  details: InstanceDetails | undefined,
  nowMs: number,
): Change[] {
  const changes: Change[] = [
    ...entries.map((entry): Change => ({ kind: "history", atMs: entry.atMs, entry })),
    ...published.map((value): Change => ({ kind: "published", atMs: value.updatedAtMs, value })),
  ];
  changes.sort((one, other) => one.atMs - other.atMs);
  if (details !== undefined) changes.push({ kind: "details", atMs: nowMs, details });
  return changes;
}
