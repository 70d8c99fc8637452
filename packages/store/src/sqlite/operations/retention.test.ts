import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import type { RemoveOldResult } from "@runtara/store";
import { Engine } from "../engine.ts";
import { checkDatabase } from "../maintenance.ts";
import { openDatabase } from "../open-database.ts";
import { endedSql } from "./retention.ts";

let folder = "";
let database: DatabaseSync;
const location = () => ({ engine: "sqlite", path: join(folder, "store.db"), create: true }) as const;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "runtara-retention-"));
  database = await openDatabase(location());
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

/** Instances that ended at 1, 2, … */
function ended(count: number): void {
  database.exec(`WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${count})
    INSERT INTO instances (instance_id, tenant_id, status, created_at, finished_at) SELECT 'i' || n, 't', 'completed', 1, n FROM n`);
}

/** Slices until nothing is left; `between`: after each. */
async function removeAll(between: () => Promise<void> = async () => {}): Promise<RemoveOldResult[]> {
  const engine = new Engine(database);
  const remove = { kind: "removeOld", instancesEndedBeforeMs: 1_000_000, limit: 100_000, nowMs: 2_000_000 } as const;
  const slices: RemoveOldResult[] = [];
  do {
    const [outcome] = engine.run([remove]);
    assert.equal(outcome?.error, undefined);
    slices.push(outcome?.result as RemoveOldResult);
    await between();
    assert.ok(slices.length < 1_000);
  } while (slices.at(-1)?.more);
  return slices;
}

test("ended instances are found by the index of their ends, in its order, with statistics and without", () => {
  ended(5_000);
  const plan = () =>
    database
      .prepare(`EXPLAIN QUERY PLAN ${endedSql}`)
      .all(9, 9, 9, 1, "", 10)
      .map(({ detail }) => String(detail))
      .join("\n");
  const expected = /^SEARCH instances USING INDEX instances_by_end \(.*finished_at.*\)$/m;
  for (const statistics of ["", "ANALYZE"]) {
    database.exec(statistics);
    assert.match(plan(), expected);
    assert.doesNotMatch(plan(), /SCAN|TEMP B-TREE/);
  }
});

test("a slice ends early although its limit allows more, and the slices together take everything once", async () => {
  ended(5_000);
  const slices = await removeAll();
  assert.ok(slices.length > 1);
  assert.equal(
    slices.reduce((sum, { instances }) => sum + instances, 0),
    5_000,
  );
});

test("large checkpoints and many signals of one instance take several slices, between which the file is sound", async () => {
  ended(1);
  database.exec(`WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 5000)
    INSERT INTO instance_signals (instance_key, kind, name, created_at) SELECT 1, 'queued', 'n', 1 FROM n;
    UPDATE instances SET queued_signal_count = 5000`);
  database.exec(`WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 40)
    INSERT INTO checkpoints (instance_key, checkpoint_id, created_at, state) SELECT 1, 'c' || n, 1, zeroblob(1000000) FROM n`);
  const slices = await removeAll(async () => assert.deepEqual(await checkDatabase(location()), []));
  assert.ok(slices.length > 1);
  assert.equal(
    slices.reduce((sum, { checkpoints }) => sum + checkpoints, 0),
    40,
  );
  // When the time is up just then, one more slice finds nothing.
  assert.equal(
    slices.reduce((sum, { instances }) => sum + instances, 0),
    1,
  );
  assert.equal(database.prepare("SELECT count(*) AS n FROM instance_signals").get()?.n, 0);
});
