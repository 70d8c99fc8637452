import { arrivals, oldestSignals } from "../../engines/arrivals.ts";
import type { InstanceStatus, QueuedSignal, SignalType } from "../../model.ts";
import type { ReadSignals, ReadSignalsResult } from "../../operations/index.ts";
import type { Connections, Statement } from "../connections/port.ts";
import { queuedSignalOf } from "../facts/read.ts";
import { waitingStatement } from "../facts/statements.ts";
import { int8Array, textArray } from "../parameters.ts";

type Interest = ReadSignals["interests"][number];

/** $1 instances. A row for each known one. */
export const stateStatement: Statement = {
  name: "read_signals_state",
  text: `
SELECT t.ord, i.epoch, i.status::text, g.signal_type::text, g.payload
FROM unnest($1::text[]) WITH ORDINALITY AS t (instance_id, ord)
  JOIN instances i ON i.instance_id = t.instance_id
  LEFT JOIN pending_signals g ON g.instance_id = t.instance_id AND g.acknowledged_at IS NULL`,
};

/**
 * What has arrived, in the order of the interests, as far as `bytesMax` reaches. Without locks: who waits subscribes to notices before it asks,
 * so it asks again after the commit that this missed.
 */
export async function readSignals(connections: Connections, operation: ReadSignals): Promise<ReadSignalsResult> {
  const { interests, bytesMax } = operation;
  const [states, waiting] = await connections.readers.transaction((transaction) =>
    Promise.all([
      transaction.query(stateStatement, [textArray(interests.map(({ instanceId }) => instanceId))]),
      readWaiting((values) => transaction.query(waitingStatement, values), interests, bytesMax),
    ]),
  );
  const stateOf = new Map(
    states.rows.map((row) => {
      const [ord, epoch, status, pendingSignal, payload] = row as readonly [
        number,
        number,
        InstanceStatus,
        SignalType | null,
        Buffer | null,
      ];
      return [ord, { row: { epoch, status, pendingSignal }, signalPayload: () => payload }] as const;
    }),
  );
  return arrivals(operation, (_, index) => {
    const state = stateOf.get(index + 1);
    return state && { ...state, oldest: (room) => oldestSignals(waiting(index), room) };
  });
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
