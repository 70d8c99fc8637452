import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Engine } from "../engine.ts";
import { openDatabase } from "../open-database.ts";

test("every page of instances comes from an index in its order, with filters and without", () => {
  const folder = mkdtempSync(join(tmpdir(), "runtara-listings-"));
  const database = openDatabase({ engine: "sqlite", path: join(folder, "store.db"), create: true });
  try {
    const prepared: string[] = [];
    const prepare = database.prepare.bind(database);
    database.prepare = (sql, ...rest) => {
      prepared.push(sql);
      return prepare(sql, ...rest);
    };
    new Engine(database);
    const pages = prepared.filter((sql) => sql.includes("FROM instances") && sql.includes("ORDER BY created_at DESC"));
    assert.equal(pages.length, 5);
    for (const sql of pages) {
      const plan = prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => String(detail))
        .join("\n");
      assert.match(plan, /SEARCH instances USING INDEX instances_by_(tenant|status) \(\w+=\? AND created_at<\?\)/);
      // Instances of one millisecond are put in order, never all of them.
      assert.doesNotMatch(plan, /SCAN instances|TEMP B-TREE FOR ORDER BY/);
    }
  } finally {
    database.close();
    rmSync(folder, { recursive: true });
  }
});
