import { bookkeepingTable, isBehind, type Migration, type Progress } from "../../migrate.ts";
import { adoptOriginal } from "../adopt/index.ts";
import type { Row, Transaction } from "../connections/port.ts";
import { lockOf } from "../sql.ts";
import { original } from "./000000-original.ts";
import { databaseWords, schemaVersion } from "./index.ts";
import { steps } from "./steps.ts";

/** Everything that is missing, in one transaction. Processes that start at the same time wait here and then find nothing to do. */
export async function upgrade(transaction: Transaction, progress: Progress): Promise<void> {
  await ask(transaction, `SELECT ${lockOf("migrations")}`);
  const [found = []] = await ask(transaction, "SELECT to_regclass('instances'), to_regclass('_sqlx_migrations')");
  const applied = await appliedVersions(transaction);
  if (!isBehind(applied.at(-1), schemaVersion, databaseWords)) return;
  const isFresh = applied.length === 0 && found.every((table) => table === null);
  const isOriginal = applied.length === 0 && !isFresh;
  if (isOriginal) await adoptOriginal.check(transaction);
  for (const step of isFresh ? [original, ...steps] : steps) {
    if (!applied.includes(step.version)) await carryOut(transaction, step, progress);
  }
  if (isOriginal) await adoptOriginal.move(transaction, progress);
}

async function appliedVersions(transaction: Transaction): Promise<number[]> {
  await ask(
    transaction,
    `CREATE TABLE IF NOT EXISTS ${bookkeepingTable} (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_ms BIGINT NOT NULL)`,
  );
  const rows = await ask(transaction, `SELECT version FROM ${bookkeepingTable} ORDER BY version`);
  return rows.map(([version]) => version as number);
}

/** The version's row comes first: where two do the same after all, the second waits for the first and fails on it. */
async function carryOut(transaction: Transaction, step: Migration, progress: Progress): Promise<void> {
  await transaction.query(
    { name: "", text: `INSERT INTO ${bookkeepingTable} (version, name, applied_ms) VALUES ($1, $2, $3)` },
    [step.version, step.name, Date.now()],
  );
  progress(`schema step ${step.version}, ${step.name}`);
  for (const text of step.statements) {
    const index = /^CREATE (?:UNIQUE )?INDEX (?:IF NOT EXISTS )?(\S+ ON \S+)/.exec(text)?.[1];
    if (index !== undefined) progress(`creating index ${index}`);
    await ask(transaction, text);
  }
}

async function ask(transaction: Transaction, text: string): Promise<readonly Row[]> {
  return (await transaction.query({ name: "", text }, [])).rows;
}
