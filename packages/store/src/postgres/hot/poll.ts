import type { SignalType } from "../../model.ts";
import type { PollSignals, PollSignalsResult } from "../../operations/index.ts";
import type { Sessions, Statement } from "../connections/port.ts";
import { textArray } from "../parameters.ts";
import { pendingSignalOf } from "../rows/pending-signal.ts";

/** $1 instances. A row for each known one. */
export const pollStatement: Statement = {
  name: "poll",
  text: `
SELECT t.ord, i.epoch, g.signal_type::text, g.payload
FROM unnest($1::text[]) WITH ORDINALITY AS t (instance_id, ord)
  JOIN instances i ON i.instance_id = t.instance_id
  LEFT JOIN pending_signals g ON g.instance_id = t.instance_id AND g.acknowledged_at IS NULL`,
};

/** Polls that name no checkpoint: they take nothing, so they only read. */
export async function poll(session: Sessions, operations: readonly PollSignals[]): Promise<PollSignalsResult[]> {
  const { rows } = await session.query(pollStatement, [textArray(operations.map(({ instanceId }) => instanceId))]);
  const results: PollSignalsResult[] = operations.map(() => ({ outcome: "unknownInstance" }));
  for (const row of rows) {
    const [ord, epoch, type, payload] = row as readonly [number, number, SignalType | null, Buffer | null];
    const given = operations[ord - 1]?.epoch;
    results[ord - 1] =
      given !== undefined && given !== epoch
        ? { outcome: "fenced", epoch }
        : { outcome: "polled", signal: pendingSignalOf(type, payload), custom: undefined };
  }
  return results;
}
