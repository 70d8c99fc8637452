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
  await store.run(register("i"));
});
afterEach(async () => {
  tables.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

function register(instanceId: string) {
  const seed = new Uint8Array(16);
  return {
    kind: "registerInstance",
    instanceId,
    tenantId: "t",
    checkTenant: false,
    seed,
    nowMs: 1,
    staleAfterMs: 0,
  } as const;
}

function count(table: string): unknown {
  return tables.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n;
}

test("the end of an instance removes its sleeps, those of others stay", async () => {
  await store.run(register("other"));
  const sleep = {
    kind: "beginSleep",
    checkpointId: "nap",
    state: new Uint8Array(9),
    durationMs: 5,
    nowMs: 1,
  } as const;
  for (const instanceId of ["i", "i", "other"]) await store.run({ ...sleep, instanceId });
  await store.run({ ...sleep, instanceId: "i", checkpointId: "another" });
  assert.equal(count("sleeps"), 3);
  await store.run({ kind: "appendEvent", instanceId: "i", type: "failed", createdAtMs: 1, nowMs: 1 });
  assert.equal(count("sleeps"), 1);
});

test("checkpoints move into the index a slice at a time, and the log keeps every one", async () => {
  const sizes: number[] = [];
  for (let first = 0; first < 9_000; first += 500) {
    const saves = Array.from({ length: 500 }, (_, n) =>
      store.run({
        kind: "saveCheckpoint",
        instanceId: "i",
        checkpointId: `step ${first + n}`,
        state: new Uint8Array(1),
        nowMs: 1,
      }),
    );
    await Promise.all(saves);
    sizes.push(Number(count("checkpoint_ids")));
  }
  const steps = sizes.map((size, index) => size - (sizes[index - 1] ?? 0));
  assert.ok(Math.max(...steps) < 700, `one of the batches moved ${Math.max(...steps)} at once`);
  assert.ok((sizes.at(-1) ?? 0) >= 4_096);
  assert.equal(count("checkpoints"), 9_000);
  const listed = await store.run({ kind: "listCheckpoints", instanceId: "i", limit: 10_000 });
  assert.ok(listed.outcome === "page");
  assert.equal(listed.total, 9_000);
  assert.equal(listed.checkpoints.length, 9_000);
  assert.equal(listed.checkpoints[0]?.checkpointId, "step 8999");
});

test("an id of the log is never given twice, though all checkpoints have been removed", async () => {
  const save = (instanceId: string) =>
    store.run({ kind: "saveCheckpoint", instanceId, checkpointId: "a", state: new Uint8Array(1), nowMs: 1 });
  await save("i");
  await store.run({ kind: "appendEvent", instanceId: "i", type: "completed", createdAtMs: 2, nowMs: 2 });
  await store.run({ kind: "removeOld", instancesEndedBeforeMs: 3, limit: 100, nowMs: 5 });
  assert.equal(count("checkpoints"), 0);
  await store.run(register("next"));
  await save("next");
  assert.equal(tables.prepare("SELECT id FROM checkpoints").get()?.id, 2);
});
