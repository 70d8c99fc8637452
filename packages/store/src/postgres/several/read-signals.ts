import { isFinal } from "../../lifecycle/transition.ts";
import type { InstanceStatus, PendingSignal, QueuedSignal, SignalType } from "../../model.ts";
import type { ReadSignals, ReadSignalsResult } from "../../operations/index.ts";
import type { Connections, Statement } from "../connections/port.ts";
import { oldestSignals, queuedSignalOf } from "../facts/read.ts";
import { waitingStatement } from "../facts/statements.ts";
import { int8Array, textArray } from "../parameters.ts";

type Interest = ReadSignals["interests"][number];
type Arrived = ReadSignalsResult["instances"][number];

/** $1 instances. A row for each known one. */
export const stateStatement: Statement = {
  name: "read_signals_state",
  text: `
SELECT t.ord, i.epoch, i.status::text, g.signal_type::text, g.payload
FROM unnest($1::text[]) WITH ORDINALITY AS t (instance_id, ord)
  JOIN instances i ON i.instance_id = t.instance_id
  LEFT JOIN pending_signals g ON g.instance_id = t.instance_id AND g.acknowledged_at IS NULL`,
};

interface State {
  readonly epoch: number;
  readonly status: InstanceStatus;
  readonly signal: PendingSignal | undefined;
}

const emptyBytes = new Uint8Array(0);

/**
 * What has arrived, in the order of the interests, as far as `bytesMax` reaches. Without locks: who waits subscribes to notices before it asks,
 * so it asks again after the commit that this missed.
 */
export async function readSignals(
  connections: Connections,
  { interests, bytesMax }: ReadSignals,
): Promise<ReadSignalsResult> {
  const [states, waiting] = await connections.readers.transaction((transaction) =>
    Promise.all([
      transaction.query(stateStatement, [textArray(interests.map(({ instanceId }) => instanceId))]),
      readWaiting((values) => transaction.query(waitingStatement, values), interests, bytesMax),
    ]),
  );
  const stateOf = new Map(
    states.rows.map((row) => {
      const [ord, epoch, status, type, payload] = row as readonly [
        number,
        number,
        InstanceStatus,
        SignalType | null,
        Buffer | null,
      ];
      const signal = type === null ? undefined : { type, payload: payload ?? emptyBytes };
      return [ord, { epoch, status, signal }] as const;
    }),
  );
  const instances: Arrived[] = [];
  let room = bytesMax;
  for (const [index, interest] of interests.entries()) {
    const found = arrivedFor(interest, stateOf.get(index + 1), waiting(index), room, instances.length === 0);
    if (found.arrived !== undefined) instances.push(found.arrived);
    if (found.cut) return { instances, more: true };
    room -= bytesOf(found.arrived);
  }
  return { instances, more: false };
}

/** The signals of each interest, by its index. */
async function readWaiting(
  query: (values: (Buffer | number)[]) => Promise<{ readonly rows: readonly (readonly unknown[])[] }>,
  interests: readonly Interest[],
  bytesMax: number,
): Promise<(index: number) => readonly QueuedSignal[]> {
  const asked = interests.flatMap(({ instanceId, names, afterSignalId }, index) =>
    [...new Set(names)].map((name) => ({ instanceId, name, afterSignalId, index })),
  );
  if (asked.length === 0) return () => [];
  const { rows } = await query([
    textArray(asked.map(({ instanceId }) => instanceId)),
    textArray(asked.map(({ name }) => name)),
    int8Array(asked.map(({ afterSignalId }) => afterSignalId)),
    bytesMax,
  ]);
  const groups = Map.groupBy(rows, (row) => asked[(row[0] as number) - 1]?.index);
  return (index) => (groups.get(index) ?? []).map(queuedSignalOf);
}

/** `cut`: there was no room for all of it. The first of all is given whatever its size. */
function arrivedFor(
  { instanceId, epoch, seenSignal }: Interest,
  state: State | undefined,
  waiting: readonly QueuedSignal[],
  room: number,
  isFirst: boolean,
): { readonly arrived: Arrived | undefined; readonly cut: boolean } {
  if (state === undefined || state.epoch !== epoch || isFinal(state.status)) {
    return { arrived: { instanceId, fenced: true, signal: undefined, queued: [] }, cut: false };
  }
  const signal = state.signal?.type === seenSignal ? undefined : state.signal;
  const { queued, cut } = oldestSignals(waiting, room);
  if (signal === undefined && queued.length === 0) return { arrived: undefined, cut: false };
  const arrived = { instanceId, fenced: false, signal, queued };
  if (!isFirst && bytesOf(arrived) > room) return { arrived: undefined, cut: true };
  return { arrived, cut };
}

function bytesOf(arrived: Arrived | undefined): number {
  const payloads = [arrived?.signal, ...(arrived?.queued ?? [])];
  return payloads.reduce((bytes, one) => bytes + (one?.payload.length ?? 0), 0);
}
