import { StoreError } from "../../errors.ts";
import type { Progress } from "../../migrate.ts";
import type { Transaction } from "../connections/port.ts";
import { firstMissing, originalColumns } from "./original-columns.ts";

// to_regclass looks where statements look, so a table of the same name in another schema does not count.
const columnsStatement = `
SELECT t.name, a.attname FROM unnest($1::text[]) AS t (name)
JOIN pg_attribute a ON a.attrelid = to_regclass(t.name) AND a.attnum > 0 AND NOT a.attisdropped`;

// Retry records of the original are flagged checkpoints `{base}::retry::{n}`; their ids keep their place in the order of saving.
const moveRetriesStatement = `
WITH moved AS (
  DELETE FROM checkpoints WHERE is_retry_attempt AND checkpoint_id ~ '::retry::[0-9]{1,10}$'
  RETURNING id, instance_id, checkpoint_id, error_message, created_at
)
INSERT INTO retry_attempts (instance_id, checkpoint_id, attempt, position, error_message, created_ms)
SELECT instance_id, regexp_replace(checkpoint_id, '::retry::[0-9]{1,10}$', ''),
  substring(checkpoint_id from '[0-9]{1,10}$')::bigint, id, error_message,
  floor(extract(epoch FROM created_at)::numeric * 1000)::bigint
FROM moved`;

/** Taking over a database of runtara-core 1.4.1 in place, inside the transaction that adds our columns and tables. */
export const adoptOriginal = {
  /** Throws StoreError SCHEMA_INCOMPATIBLE, which names what a database of another version lacks. Reads only. */
  async check(transaction: Transaction): Promise<void> {
    const { rows } = await transaction.query({ name: "", text: columnsStatement }, [Object.keys(originalColumns)]);
    const found = new Map<string, Set<string>>();
    for (const [table, column] of rows as readonly (readonly [string, string])[]) {
      found.set(table, (found.get(table) ?? new Set()).add(column));
    }
    const missing = firstMissing(found);
    if (missing === undefined) return;
    throw new StoreError(
      "SCHEMA_INCOMPATIBLE",
      `the PostgreSQL database has tables of another program, or of another version of runtara-core than 1.4.1: ${missing} is missing; ` +
        "start runtara-core 1.4.1 on it once, or use an empty database",
    );
  },

  /** Rows that have a place of their own with us. */
  async move(transaction: Transaction, progress: Progress): Promise<void> {
    progress("moving retry records to table retry_attempts");
    await transaction.query({ name: "", text: moveRetriesStatement }, []);
  },
};
