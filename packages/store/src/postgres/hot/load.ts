import { parseRetryId } from "../../engines/retry-id.ts";
import type { LoadCheckpoint, LoadCheckpointResult } from "../../operations/index.ts";
import { emptyBytes } from "../bytes.ts";
import type { Sessions, Statement } from "../connections/port.ts";
import { int8Array, textArray } from "../parameters.ts";
import { msOf } from "../sql.ts";

/** $1 instance, $2 tenant or NULL, $3 checkpoint id, $4 and $5 the retry record that it may name. A row for each known instance. */
export const loadStatement: Statement = {
  name: "load",
  text: `
SELECT t.ord, c.state, ${msOf("c.created_at")}, r.created_ms
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int8[])
  WITH ORDINALITY AS t (instance_id, tenant_id, checkpoint_id, base, attempt, ord)
  JOIN instances i ON i.instance_id = t.instance_id AND (t.tenant_id IS NULL OR i.tenant_id = t.tenant_id)
  LEFT JOIN checkpoints c ON c.instance_id = t.instance_id AND c.checkpoint_id = t.checkpoint_id
  LEFT JOIN retry_attempts r ON r.instance_id = t.instance_id AND r.checkpoint_id = t.base AND r.attempt = t.attempt`,
};

export async function load(session: Sessions, operations: readonly LoadCheckpoint[]): Promise<LoadCheckpointResult[]> {
  const retries = operations.map(({ checkpointId }) => parseRetryId(checkpointId));
  const { rows } = await session.query(loadStatement, [
    textArray(operations.map(({ instanceId }) => instanceId)),
    textArray(operations.map(({ tenantId }) => tenantId ?? null)),
    textArray(operations.map(({ checkpointId }) => checkpointId)),
    textArray(retries.map((retry) => retry?.base ?? null)),
    int8Array(retries.map((retry) => retry?.attempt ?? null)),
  ]);
  const results: LoadCheckpointResult[] = operations.map(() => ({ outcome: "unknownInstance" }));
  for (const row of rows) {
    const [ord, state, createdAtMs, retriedAtMs] = row as readonly [number, Buffer | null, number, number | null];
    if (state !== null) results[ord - 1] = { outcome: "found", state, createdAtMs };
    else if (retriedAtMs !== null) results[ord - 1] = { outcome: "found", state: emptyBytes, createdAtMs: retriedAtMs };
    else results[ord - 1] = { outcome: "missing" };
  }
  return results;
}
