import type { InstanceRow } from "../decide/row.ts";
import { isFinal } from "../lifecycle/transition.ts";
import { limits } from "../limits.ts";
import type { QueuedSignal } from "../model.ts";
import type { ReadSignals, ReadSignalsResult } from "../operations/index.ts";

/** Signals that wait, oldest first. */
export interface Oldest {
  readonly queued: readonly QueuedSignal[];
  /** Of their payloads. */
  readonly bytes: number;
  /** There was no room for all of them. */
  readonly cut: boolean;
}

/** The oldest ones, as far as `bytesMax` and the limit reach, but at least one. */
export function oldestSignals(signals: readonly QueuedSignal[], bytesMax: number): Oldest {
  const queued: QueuedSignal[] = [];
  let bytes = 0;
  for (const signal of signals.toSorted((a, b) => a.signalId - b.signalId).slice(0, limits.queuedSignalsMax)) {
    if (queued.length > 0 && bytes + signal.payload.length > bytesMax) return { queued, bytes, cut: true };
    bytes += signal.payload.length;
    queued.push(signal);
  }
  return { queued, bytes, cut: false };
}

/** What an engine has of an instance that somebody waits for. Read only where it is asked for. */
export interface Present {
  readonly row: Pick<InstanceRow, "epoch" | "status" | "pendingSignal">;
  /** Of the pending signal. */
  signalPayload(): Uint8Array | null;
  /** What waits under the names behind the id of the interest. */
  oldest(bytesMax: number): Oldest;
}

const noBytes: Uint8Array = new Uint8Array(0);

/** What has arrived, in the order of the interests, as far as `bytesMax` reaches. `find` gives undefined for an unknown instance. */
export function arrivals(
  { interests, bytesMax }: ReadSignals,
  find: (interest: ReadSignals["interests"][number], index: number) => Present | undefined,
): ReadSignalsResult {
  const instances: ReadSignalsResult["instances"][number][] = [];
  let room = bytesMax;
  let isFirst = true;
  for (const [index, interest] of interests.entries()) {
    const { instanceId, epoch, seenSignal } = interest;
    const present = find(interest, index);
    if (present === undefined || present.row.epoch !== epoch || isFinal(present.row.status)) {
      instances.push({ instanceId, fenced: true, signal: undefined, queued: [] });
      continue;
    }
    const type = present.row.pendingSignal;
    const isNews = type !== null && type !== seenSignal;
    const signal = isNews ? { type, payload: present.signalPayload() ?? noBytes } : undefined;
    const { queued, cut, ...waiting } = present.oldest(room);
    if (signal === undefined && queued.length === 0) continue;
    const bytes = (signal?.payload.length ?? 0) + waiting.bytes;
    // The first that has something is given whatever its size.
    if (!isFirst && bytes > room) return { instances, more: true };
    instances.push({ instanceId, fenced: false, signal, queued });
    if (cut) return { instances, more: true };
    isFirst = false;
    room -= bytes;
  }
  return { instances, more: false };
}
