// Moves a table, a batch at a time. `transaction` commits the rows and the step's result together, so each batch is moved exactly once,
// whenever the process dies. After some batches it goes on as a new run with an empty history, however large the table is.
import type { DatabaseSync } from "node:sqlite";
import { continueAsNew, transaction, type, workflow } from "@runtara/sdk";

export interface Progress {
  behind: number;
  moved: number;
  rejected: number[];
}

export const start: Progress = { behind: 0, moved: 0, rejected: [] };
export const batchSize = 100;
export const batchesPerRun = 10;

export const migration = (db: DatabaseSync) =>
  workflow("migration", { published: { progress: type<Progress>() } }, async (from: Progress, ctx) => {
    let at = from;
    for (let batch = 0; batch < batchesPerRun; batch++) {
      const next = await transaction(db, "move", (tx) => moveBatch(tx, at));
      if (next === undefined) return at;
      at = next;
      ctx.publish("progress", at);
    }
    return continueAsNew(at);
  });

/** Undefined: there is nothing behind. */
function moveBatch(tx: DatabaseSync, { behind, moved, rejected }: Progress): Progress | undefined {
  const rows = tx.prepare("SELECT id, name FROM old WHERE id > ? ORDER BY id LIMIT ?").all(behind, batchSize) as {
    id: number;
    name: string | null;
  }[];
  const last = rows.at(-1);
  if (last === undefined) return undefined;
  const insert = tx.prepare("INSERT INTO new (id, name) VALUES (?, ?)");
  const good = rows.filter((row) => row.name !== null);
  for (const { id, name } of good) insert.run(id, name?.trim() ?? null);
  const bad = rows.filter(({ name }) => name === null).map(({ id }) => id);
  return { behind: last.id, moved: moved + good.length, rejected: [...rejected, ...bad] };
}
