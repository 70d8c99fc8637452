import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Engine } from "./engine.ts";
import { openDatabase } from "./open-database.ts";
import { Connection } from "./statements.ts";

interface Planned {
  readonly engine: Engine;
  /** The statements that have been made since the last call, with SQLite's plan for each. */
  taken(): { readonly sql: string; readonly plan: string }[];
  [Symbol.dispose](): void;
}

/** An engine on a new file that keeps the statements it makes, executed or not. */
export async function plannedEngine(): Promise<Planned> {
  const folder = mkdtempSync(join(tmpdir(), "runtara-plans-"));
  const database = await openDatabase({ engine: "sqlite", path: join(folder, "store.db"), create: true });
  const { prepare } = Connection.prototype;
  let made: string[] = [];
  Connection.prototype.prepare = function (sql) {
    if (this.database === database) made.push(sql);
    return prepare.call(this, sql);
  };
  const planOf = (sql: string) =>
    database
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => String(detail))
      .join("\n");
  return {
    engine: new Engine(database),
    taken() {
      const taken = made.map((sql) => ({ sql, plan: planOf(sql) }));
      made = [];
      return taken;
    },
    [Symbol.dispose]() {
      Connection.prototype.prepare = prepare;
      database.close();
      rmSync(folder, { recursive: true });
    },
  };
}
