import { isFinal } from "../lifecycle/transition.ts";
import type { ReadSignals, ReadSignalsResult } from "../operations/index.ts";
import type { MemoryDatabase } from "./database.ts";
import { fresh, waitingFor } from "./facts.ts";

type Interest = ReadSignals["interests"][number];
type Arrived = ReadSignalsResult["instances"][number];

/** What has arrived, in the order of the interests, as far as `bytesMax` reaches. */
export function readSignals(database: MemoryDatabase, { interests, bytesMax }: ReadSignals): ReadSignalsResult {
  const instances: Arrived[] = [];
  let room = bytesMax;
  for (const interest of interests) {
    const isFirst = instances.length === 0;
    const { arrived, cut } = arrivedFor(database, interest, room, isFirst);
    if (arrived !== undefined) instances.push(arrived);
    if (cut) return { instances, more: true };
    room -= bytesOf(arrived);
  }
  return { instances, more: false };
}

/** `cut`: there was no room for all of it. */
function arrivedFor(
  database: MemoryDatabase,
  { instanceId, epoch, names, afterSignalId, seenSignal }: Interest,
  room: number,
  isFirst: boolean,
): { readonly arrived: Arrived | undefined; readonly cut: boolean } {
  const record = database.instances.get(instanceId);
  if (record === undefined || record.row.epoch !== epoch || isFinal(record.row.status))
    return { arrived: { instanceId, fenced: true, signal: undefined, queued: [] }, cut: false };
  const { pending } = record;
  const signal =
    pending === undefined || pending.type === seenSignal
      ? undefined
      : { type: pending.type, payload: fresh(pending.payload) ?? new Uint8Array() };
  const { queued, cut } = waitingFor(record, names, afterSignalId, room);
  if (signal === undefined && queued.length === 0) return { arrived: undefined, cut: false };
  const arrived = { instanceId, fenced: false, signal, queued };
  // The first of all is given whatever its size.
  if (!isFirst && bytesOf(arrived) > room) return { arrived: undefined, cut: true };
  return { arrived, cut };
}

function bytesOf(arrived: Arrived | undefined): number {
  const payloads = [arrived?.signal, ...(arrived?.queued ?? [])];
  return payloads.reduce((bytes, one) => bytes + (one?.payload.length ?? 0), 0);
}
