import { badCursor, cursorOf, placeOf } from "../../engines/cursors.ts";
import { cutPage } from "../../engines/pages.ts";
import type { ListCheckpoints, ListCheckpointsResult } from "../../operations/index.ts";
import type { Connections } from "../connections/port.ts";
import { msOf, timestampOf } from "../sql.ts";
import { Conditions, rowsOf } from "./conditions.ts";
import { ofTenant } from "./tenant.ts";

const retryId = "r.checkpoint_id || '::retry::' || r.attempt";

/** Newest first by position; retry records are among the checkpoints under the names of the original. */
export async function listCheckpoints(
  connections: Connections,
  operation: ListCheckpoints,
): Promise<ListCheckpointsResult> {
  const { instanceId, tenantId, checkpointId, createdAfterMs, createdBeforeMs, cursor } = operation;
  const place = cursor === undefined ? undefined : placeOf("checkpoints", cursor, [0]);
  if (cursor !== undefined && place === undefined) return badCursor;
  const both = new BothTables();
  both.add("instance", instanceId, (value) => [`c.instance_id = ${value}`, `r.instance_id = ${value}`]);
  both.add("tenant", tenantId, (value) => [ofTenant("c.instance_id", value), ofTenant("r.instance_id", value)]);
  both.add("id", checkpointId, (value) => [`c.checkpoint_id = ${value}`, `${retryId} = ${value}`]);
  both.add("after", createdAfterMs, (value) => [
    `c.created_at >= ${timestampOf(`${value}::int8`)}`,
    `r.created_ms >= ${value}::int8`,
  ]);
  both.add("before", createdBeforeMs, (value) => [
    `c.created_at < ${timestampOf(`${value}::int8`)}`,
    `r.created_ms < ${value}::int8`,
  ]);
  const counted = cursor === undefined ? count(connections, both) : undefined;
  const [page, total] = await Promise.all([readPage(connections, both, operation, place?.[0]), counted]);
  return { ...page, total };
}

/** The same conditions on checkpoints (c) and on retry records (r). */
class BothTables {
  readonly conditions = new Conditions();
  readonly #checkpoints: string[] = [];
  readonly #retries: string[] = [];

  add(key: string, value: string | number | undefined, texts: (parameter: string) => readonly [string, string]): void {
    this.conditions.add(key, value, (parameter) => {
      const [checkpoints, retries] = texts(parameter);
      this.#checkpoints.push(checkpoints);
      this.#retries.push(retries);
      return "true";
    });
  }

  get checkpoints(): string {
    return this.#checkpoints.join(" AND ");
  }

  get retries(): string {
    return this.#retries.join(" AND ");
  }
}

/** The count's values are taken now: the page adds its own. */
async function count(connections: Connections, both: BothTables): Promise<number> {
  const statement = both.conditions.statement(
    "count_checkpoints",
    `SELECT (SELECT count(*) FROM checkpoints c WHERE ${both.checkpoints}) + (SELECT count(*) FROM retry_attempts r WHERE ${both.retries})`,
  );
  const { rows } = await connections.readers.query(statement, [...both.conditions.values]);
  return (rows[0]?.[0] as number | undefined) ?? 0;
}

async function readPage(connections: Connections, both: BothTables, page: ListCheckpoints, before: number | undefined) {
  const { conditions } = both;
  both.add("cursor", before, (value) => [`c.id < ${value}::int8`, `r.position < ${value}::int8`]);
  const { limit, read, offset } = rowsOf(page);
  const reach = conditions.value(read + offset);
  const statement = conditions.statement(
    "list_checkpoints",
    `SELECT * FROM (
       (SELECT c.id AS place, c.checkpoint_id, ${msOf("c.created_at")}, octet_length(c.state) FROM checkpoints c
        WHERE ${both.checkpoints} ORDER BY c.id DESC LIMIT ${reach})
       UNION ALL
       (SELECT r.position, ${retryId}, r.created_ms, 0 FROM retry_attempts r
        WHERE ${both.retries} ORDER BY r.position DESC LIMIT ${reach})
     ) AS both_tables ORDER BY place DESC LIMIT ${conditions.value(read)} OFFSET ${conditions.value(offset)}`,
  );
  const answer = await connections.readers.query(statement, conditions.values);
  const { rows, last } = cutPage(answer.rows, limit);
  return {
    outcome: "page",
    checkpoints: rows.map((row) => {
      const [, checkpointId, createdAtMs, stateBytes] = row as readonly [number, string, number, number];
      return { checkpointId, createdAtMs, stateBytes };
    }),
    nextCursor: last && cursorOf("checkpoints", [last[0] as number]),
  } as const;
}
