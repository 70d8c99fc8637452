import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import { openStore, type Store } from "@runtara/store";

// What only a look into the tables can tell.

let folder = "";
let store: Store;
let tables: DatabaseSync;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "runtara-tables-"));
  store = await openStore(join(folder, "store.db"));
  tables = new DatabaseSync(join(folder, "store.db"));
  await store.run({ kind: "registerInstance", instanceId: "i", tenantId: "t", allowedIn: [], nowMs: 1 });
});
afterEach(async () => {
  tables.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

function count(table: string): unknown {
  return tables.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n;
}

test("the end of an instance removes its sleeps, those of others stay", async () => {
  await store.run({ kind: "registerInstance", instanceId: "other", tenantId: "t", allowedIn: [], nowMs: 1 });
  const sleep = {
    kind: "beginSleep",
    checkpointId: "nap",
    state: new Uint8Array(9),
    durationMs: 5,
    allowedIn: ["running"],
    nowMs: 1,
  } as const;
  for (const instanceId of ["i", "i", "other"]) await store.run({ ...sleep, instanceId });
  await store.run({ ...sleep, instanceId: "i", checkpointId: "another" });
  assert.equal(count("sleeps"), 3);
  const transitions = [{ from: ["running"], to: "failed", ends: true }] as const;
  await store.run({ kind: "appendEvent", instanceId: "i", type: "failed", createdAtMs: 1, transitions, nowMs: 1 });
  assert.equal(count("sleeps"), 1);
});

test("checkpoints move into the index together, and the log keeps every one", async () => {
  for (let first = 0; first < 5_000; first += 500) {
    const saves = Array.from({ length: 500 }, (_, n) =>
      store.run({
        kind: "saveCheckpoint",
        instanceId: "i",
        checkpointId: `step ${first + n}`,
        state: new Uint8Array(1),
        allowedIn: ["running"],
        nowMs: 1,
      }),
    );
    await Promise.all(saves);
  }
  const indexed = Number(count("checkpoint_ids"));
  assert.ok(indexed >= 4_096 && indexed < 5_000, `${indexed} are in the index`);
  assert.equal(tables.prepare("SELECT indexed_up_to AS n FROM checkpoint_index_state").get()?.n, indexed);
  assert.equal(count("checkpoints"), 5_000);
  const { checkpoints } = await store.run({ kind: "listCheckpoints", instanceId: "i", limit: 10_000 });
  assert.equal(checkpoints.length, 5_000);
});
