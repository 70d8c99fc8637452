import type { Changes } from "../../decide/changes.ts";
import type { InstanceRow } from "../../decide/row.ts";
import type { Parameter, Statement, Transaction } from "../connections/port.ts";
import { boolArray, byteaArray, textArray } from "../parameters.ts";
import { send } from "../send.ts";
import { insertColumns, updateColumns } from "./columns.ts";

/** What is to be written about one instance. */
export interface InstanceChanges {
  readonly instanceId: string;
  readonly changes: Changes;
}

type RowChanges = Changes & { readonly row: InstanceRow };

const names = (columns: readonly { readonly name: string }[]): string => columns.map(({ name }) => name).join(", ");

/** `$1::text[], $2::int8[], …` */
function unnested(types: readonly string[]): string {
  return types.map((type, index) => `$${index + 1}::${type}[]`).join(", ");
}

const insertStatement: Statement = {
  name: "rows_insert",
  text: `
INSERT INTO instances (${names(insertColumns)}, input, tags, output, error, failure)
SELECT ${insertColumns.map(({ write }) => write).join(", ")}, s.input, s.tags::jsonb, s.output, s.error, s.failure
FROM unnest(${unnested([...insertColumns.map(({ type }) => type), "bytea", "text", "bytea", "text", "bytea"])})
  AS s (${names(insertColumns)}, input, tags, output, error, failure)
ORDER BY s.instance_id`,
};

const assignments = updateColumns.filter(({ name }) => name !== "instance_id");

/** The three results are written where their flag says so; else they stay where they are. */
const updateStatement: Statement = {
  name: "rows_update",
  text: `
UPDATE instances AS n SET ${assignments.map(({ name, write }) => `${name} = ${write}`).join(", ")},
  sleep_until = CASE WHEN s.wakes THEN NULL ELSE n.sleep_until END,
  output = CASE WHEN s.set_output THEN s.output ELSE n.output END,
  error = CASE WHEN s.set_error THEN s.error ELSE n.error END,
  failure = CASE WHEN s.set_failure THEN s.failure ELSE n.failure END
FROM unnest(${unnested([...updateColumns.map(({ type }) => type), "bool", "bool", "bytea", "bool", "text", "bool", "bytea"])})
  AS s (${names(updateColumns)}, wakes, set_output, output, set_error, error, set_failure, failure)
WHERE n.instance_id = s.instance_id`,
};

/**
 * Writes the rows that changes bring: new ones and changed ones. If somebody else creates one of the new ones at the same time, the insert
 * waits for that and fails with the SQLSTATE 23505: the transaction is to be repeated.
 */
export function writeRows(transaction: Transaction, all: readonly InstanceChanges[]): void {
  const withRow = lastOfEach(all);
  const created = withRow.filter(({ insert }) => insert !== undefined);
  const changed = withRow.filter(({ insert }) => insert === undefined);
  if (created.length > 0) insertRows(transaction, created);
  if (changed.length > 0) updateRows(transaction, changed);
}

/** Several decisions of one transaction about one row: what the last one says. */
function lastOfEach(all: readonly InstanceChanges[]): readonly RowChanges[] {
  const last = new Map<string, RowChanges>();
  for (const { instanceId, changes } of all) {
    if (changes.row !== undefined) last.set(instanceId, { ...last.get(instanceId), ...(changes as RowChanges) });
  }
  return [...last.values()];
}

function insertRows(transaction: Transaction, created: readonly RowChanges[]): void {
  send(transaction, insertStatement, [
    ...valuesOf(insertColumns, created),
    byteaArray(created.map(({ insert }) => insert?.input)),
    textArray(created.map(({ insert }) => tagsOf(insert?.tags))),
    byteaArray(created.map(({ output }) => output)),
    textArray(created.map(({ error }) => error ?? null)),
    byteaArray(created.map(({ failure }) => failure)),
  ]);
}

function updateRows(transaction: Transaction, changed: readonly RowChanges[]): void {
  send(transaction, updateStatement, [
    ...valuesOf(updateColumns, changed),
    boolArray(changed.map(({ clearSleepUntil }) => clearSleepUntil === true)),
    boolArray(changed.map(({ output }) => output !== undefined)),
    byteaArray(changed.map(({ output }) => output)),
    boolArray(changed.map(({ error }) => error !== undefined)),
    textArray(changed.map(({ error }) => error ?? null)),
    boolArray(changed.map(({ failure }) => failure !== undefined)),
    byteaArray(changed.map(({ failure }) => failure)),
  ]);
}

function valuesOf(
  columns: readonly { readonly values: (rows: readonly InstanceRow[]) => Buffer }[],
  changes: readonly RowChanges[],
): Parameter[] {
  const rows = changes.map(({ row }) => row);
  return columns.map(({ values }) => values(rows));
}

/** No tags are NULL: the index on tags leaves such rows out. */
function tagsOf(tags: Readonly<Record<string, string>> | undefined): string | null {
  return tags === undefined || Object.keys(tags).length === 0 ? null : JSON.stringify(tags);
}
