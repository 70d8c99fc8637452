import { badCursor, cursorOf, placeOf } from "../../engines/cursors.ts";
import { limits } from "../../limits.ts";
import type { ListOwnCheckpoints, ListOwnCheckpointsResult, OwnCheckpoint, OwnRetry } from "../../operations/index.ts";
import type { Row, Sessions, Statement } from "../connections/port.ts";
import { msOf } from "../sql.ts";

/**
 * $1 instance, $2 behind which position, $3 prefix, $4 longest state, $5 bytes of states. Checkpoints and the newest retry record of each id
 * in the order of saving, as far as the bytes reach, but at least one; the last column says how many there are up to one more than a page.
 */
const ownStatement: Statement = {
  name: "own",
  text: `
WITH found AS (
  SELECT * FROM (
    (SELECT c.id AS place, octet_length(c.state) AS bytes, NULL::int8 AS attempt, c.checkpoint_id FROM checkpoints c
     WHERE c.instance_id = $1 AND c.id > $2::int8 AND starts_with(c.checkpoint_id, $3)
     ORDER BY c.id LIMIT ${limits.ownRowsMax + 1})
    UNION ALL
    (SELECT r.position, 0, r.attempt, r.checkpoint_id FROM retry_attempts r
     WHERE r.instance_id = $1 AND r.position > $2::int8 AND starts_with(r.checkpoint_id, $3)
       AND NOT EXISTS (SELECT FROM retry_attempts n
         WHERE n.instance_id = $1 AND n.checkpoint_id = r.checkpoint_id AND n.position > r.position)
     ORDER BY r.position LIMIT ${limits.ownRowsMax + 1})
  ) AS both_tables ORDER BY place LIMIT ${limits.ownRowsMax + 1}
), counted AS (
  SELECT f.*, row_number() OVER by_place AS number, count(*) OVER () AS available,
    sum(CASE WHEN f.bytes <= $4::int8 THEN f.bytes ELSE 0 END) OVER by_place AS total
  FROM found f WINDOW by_place AS (ORDER BY f.place)
)
SELECT p.place, p.attempt IS NOT NULL, p.checkpoint_id, p.bytes, CASE WHEN p.bytes <= $4::int8 THEN c.state END,
  coalesce(r.created_ms, ${msOf("c.created_at")}), p.attempt, r.next_ms, r.error_message, p.available
FROM counted p
  LEFT JOIN checkpoints c ON p.attempt IS NULL AND c.instance_id = $1 AND c.id = p.place
  LEFT JOIN retry_attempts r
    ON p.attempt IS NOT NULL AND r.instance_id = $1 AND r.checkpoint_id = p.checkpoint_id AND r.attempt = p.attempt
WHERE p.number = 1 OR (p.total <= $5::int8 AND p.number <= ${limits.ownRowsMax})
ORDER BY p.place`,
};

/** The position of a checkpoint. */
const positionStatement: Statement = {
  name: "own_position",
  text: "SELECT id FROM checkpoints WHERE instance_id = $1 AND checkpoint_id = $2",
};

const epochStatement: Statement = {
  name: "own_epoch",
  text: "SELECT epoch FROM instances WHERE instance_id = $1",
};

const noRows: readonly Row[] = [];

export async function listOwn(
  session: Sessions,
  operations: readonly ListOwnCheckpoints[],
): Promise<ListOwnCheckpointsResult[]> {
  const results: ListOwnCheckpointsResult[] = [];
  for (const operation of operations) results.push(await readPage(session, operation));
  return results;
}

/** The epoch is read behind the rows: if it is still the caller's, nobody else has been writing. */
async function readPage(session: Sessions, operation: ListOwnCheckpoints): Promise<ListOwnCheckpointsResult> {
  const { instanceId, prefix, stateBytesMax, pageBytesMax, cursor } = operation;
  const place = cursor === undefined ? [await firstPosition(session, operation)] : placeOf("own", cursor, [0]);
  const [own, epochs] = await session.transaction((transaction) =>
    Promise.all([
      place === undefined
        ? { rows: noRows }
        : transaction.query(ownStatement, [instanceId, place[0] ?? 0, prefix, stateBytesMax, pageBytesMax]),
      transaction.query(epochStatement, [instanceId]),
    ]),
  );
  const epoch = epochs.rows[0]?.[0] as number | undefined;
  if (epoch === undefined) return { outcome: "unknownInstance" };
  if (epoch !== operation.epoch) return { outcome: "fenced", epoch };
  if (place === undefined) return badCursor;
  const { rows } = own;
  const last = rows.at(-1);
  const more = last !== undefined && (last[9] as number) > rows.length;
  return {
    outcome: "page",
    checkpoints: rows.filter(([, isRetry]) => isRetry !== true).map(checkpointOf),
    retries: rows.filter(([, isRetry]) => isRetry === true).map(retryOf),
    nextCursor: more ? cursorOf("own", [last[0] as number]) : undefined,
  };
}

/** A position never changes, so it needs no transaction with the page. */
async function firstPosition(session: Sessions, { instanceId, behind }: ListOwnCheckpoints): Promise<number> {
  if (behind === undefined) return 0;
  const { rows } = await session.query(positionStatement, [instanceId, behind]);
  return (rows[0]?.[0] as number | undefined) ?? 0;
}

function checkpointOf(row: Row): OwnCheckpoint {
  const [, , checkpointId, stateBytes, state, createdAtMs] = row as readonly [
    number,
    boolean,
    string,
    number,
    Buffer | null,
    number,
  ];
  return { checkpointId, state: state ?? undefined, stateBytes, createdAtMs };
}

function retryOf(row: Row): OwnRetry {
  const [, , checkpointId, , , createdAtMs, attempt, nextAtMs, error] = row as readonly [
    number,
    boolean,
    string,
    number,
    null,
    number,
    number,
    number | null,
    string | null,
  ];
  return { checkpointId, attempt, createdAtMs, nextAtMs, error };
}
