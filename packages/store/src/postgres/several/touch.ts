import { acceptingStatuses } from "../../lifecycle/transition.ts";
import { limits } from "../../limits.ts";
import type { TouchInstances, TouchInstancesResult } from "../../operations/index.ts";
import type { Connections, Statement } from "../connections/port.ts";
import { int8Array, textArray } from "../parameters.ts";
import { listed } from "../sql.ts";
import { inTurn } from "./in-turn.ts";
import type { SeveralDone } from "./several.ts";

const running = listed(acceptingStatuses("save"));

/** $1 instance, $2 epoch or NULL, $3 when. As decideTouch says; only rows that change are locked. */
export const touchStatement: Statement = {
  name: "touch",
  text: `
WITH locked AS MATERIALIZED (
  SELECT i.instance_id, t.at_ms FROM unnest($1::text[], $2::int8[], $3::int8[]) AS t (instance_id, epoch, at_ms)
    JOIN instances i ON i.instance_id = t.instance_id
  WHERE i.status IN (${running}) AND (t.epoch IS NULL OR t.epoch = i.epoch)
    AND (i.last_seen_ms IS NULL OR t.at_ms - i.last_seen_ms >= ${limits.touchEveryMs})
  ORDER BY i.instance_id FOR NO KEY UPDATE OF i
)
UPDATE instances AS n SET last_seen_ms = greatest(n.last_seen_ms, l.at_ms)
FROM (SELECT instance_id, max(at_ms) AS at_ms FROM locked GROUP BY instance_id) AS l WHERE n.instance_id = l.instance_id`,
};

export async function touchInstances(
  connections: Connections,
  { seen }: TouchInstances,
): Promise<SeveralDone<TouchInstancesResult>> {
  if (seen.length > 0) {
    await inTurn(connections, connections.several, (transaction) =>
      transaction.query(touchStatement, [
        textArray(seen.map(({ instanceId }) => instanceId)),
        int8Array(seen.map(({ epoch }) => epoch ?? null)),
        int8Array(seen.map(({ atMs }) => atMs)),
      ]),
    );
  }
  return { result: { outcome: "touched" }, written: [] };
}
