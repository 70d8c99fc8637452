import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Engine } from "./engine.ts";
import { openDatabase } from "./open-database.ts";

interface Planned {
  readonly engine: Engine;
  /** What has been prepared since the last call, with SQLite's plan for it. */
  taken(): { readonly sql: string; readonly plan: string }[];
  [Symbol.dispose](): void;
}

/** An engine on a new file that keeps the statements it prepares. */
export async function plannedEngine(): Promise<Planned> {
  const folder = mkdtempSync(join(tmpdir(), "runtara-plans-"));
  const database = await openDatabase({ engine: "sqlite", path: join(folder, "store.db"), create: true });
  const prepare = database.prepare.bind(database);
  let prepared: string[] = [];
  database.prepare = (sql, ...rest) => {
    prepared.push(sql);
    return prepare(sql, ...rest);
  };
  const planOf = (sql: string) =>
    prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => String(detail))
      .join("\n");
  return {
    engine: new Engine(database),
    taken() {
      const taken = prepared.map((sql) => ({ sql, plan: planOf(sql) }));
      prepared = [];
      return taken;
    },
    [Symbol.dispose]() {
      database.close();
      rmSync(folder, { recursive: true });
    },
  };
}
