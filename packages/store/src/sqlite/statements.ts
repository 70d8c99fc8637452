import type { DatabaseSync, StatementSync } from "node:sqlite";

/** A statement whose rows are arrays in the order of the columns: cheaper than an object each. */
export function prepareArrays(database: DatabaseSync, sql: string): StatementSync {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  return statement;
}
