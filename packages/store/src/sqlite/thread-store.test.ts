import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import { type SaveCheckpointResult, type Store, StoreError } from "@runtara/store";
import { limits } from "../limits.ts";
import { openDatabase } from "./open-database.ts";
import { ThreadStore } from "./thread-store.ts";

let folder = "";
let path = "";
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "runtara-thread-"));
  path = join(folder, "store.db");
  store = new ThreadStore(await openDatabase({ engine: "sqlite", path, create: true }), path);
  await register("i");
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function register(instanceId: string): Promise<unknown> {
  const seed = new Uint8Array(16);
  return store.run({
    kind: "registerInstance",
    instanceId,
    tenantId: "t",
    checkTenant: false,
    seed,
    nowMs: 1,
    staleAfterMs: 0,
  });
}

function save(checkpointId: string, bytes = 1): Promise<SaveCheckpointResult> {
  const state = new Uint8Array(bytes).fill(97);
  return store.run({ kind: "saveCheckpoint", instanceId: "i", checkpointId, state, nowMs: 1 });
}

test("reads behind a write of the same instance see it, whoever carries them out", async () => {
  for (let n = 0; n < 50; n += 1) {
    const checkpointId = `step ${n}`;
    const [saved, loaded, listed] = await Promise.all([
      save(checkpointId),
      store.run({ kind: "loadCheckpoint", instanceId: "i", checkpointId }),
      store.run({ kind: "listCheckpoints", instanceId: "i", limit: 100 }),
    ]);
    assert.equal(saved.outcome, "saved");
    assert.equal(loaded.outcome, "found");
    assert.ok(listed.outcome === "page" && listed.checkpoints.length === n + 1);
    const later = await store.run({ kind: "loadCheckpoint", instanceId: "i", checkpointId });
    assert.equal(later.outcome, "found");
  }
});

test("views of a larger buffer cross as what they show, and stay as they are with the caller", async () => {
  const slab = new Uint8Array(1_000).fill(7);
  const state = slab.subarray(10, 13);
  await store.run({ kind: "saveCheckpoint", instanceId: "i", checkpointId: "a", state, nowMs: 1 });
  const payload = slab.subarray(100, 102);
  await store.run({ kind: "appendEvent", instanceId: "i", type: "custom", payload, createdAtMs: 1, nowMs: 1 });
  assert.equal(slab.byteLength, 1_000);
  const loaded = await store.run({ kind: "loadCheckpoint", instanceId: "i", checkpointId: "a" });
  assert.ok(loaded.outcome === "found");
  assert.deepEqual([...loaded.state], [7, 7, 7]);
  const events = await store.run({ kind: "listEvents", instanceId: "i", type: "custom", limit: 1 });
  assert.ok(events.outcome === "page");
  assert.deepEqual(events.events[0]?.payload, Uint8Array.of(7, 7));
});

test("the write-ahead log begins anew while somebody writes all the time", async () => {
  const pages = () => store.stats().engine.walPages ?? 0;
  let longest = 0;
  let rounds = 0;
  // However slow the second thread is: writing goes on until the log has begun anew.
  for (; pages() >= longest / 2; rounds += 1) {
    assert.ok(rounds < 20_000, `${longest} pages and no new beginning`);
    await Promise.all(Array.from({ length: 10 }, (_, n) => save(`step ${rounds} ${n}`, rounds < 40 ? 50_000 : 100)));
    longest = Math.max(longest, pages());
  }
  assert.ok(longest >= limits.sqliteWalPagesMax, `begun anew after ${longest} pages`);
  assert.equal((await save("step 0 0")).outcome, "found");
});

test("a thread that cannot open the file fails what it has, and the next try opens it", async () => {
  const elsewhere = join(folder, "gone", "store.db");
  const reader = await openDatabase({ engine: "sqlite", path: join(folder, "other.db"), create: true });
  const broken = new ThreadStore(reader, elsewhere);
  const registering = { kind: "registerInstance", instanceId: "x", tenantId: "t", checkTenant: false } as const;
  const attempt = () => broken.run({ ...registering, seed: new Uint8Array(16), nowMs: 1, staleAfterMs: 0 });
  await assert.rejects(attempt(), (error) => error instanceof StoreError && error.code === "OPEN_FAILED");
  const { mkdirSync } = await import("node:fs");
  mkdirSync(join(folder, "gone"));
  const made = await openDatabase({ engine: "sqlite", path: elsewhere, create: true });
  made.close();
  const registered = await attempt();
  assert.equal(registered.outcome, "registered");
  await broken.close();
});

test("an operation that fails leaves the others of its transaction alone", async () => {
  const bad = register("");
  const results = await Promise.allSettled([save("a"), bad, save("b")]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  assert.equal(store.stats().failures, 1);
  const tables = new DatabaseSync(path);
  assert.equal(tables.prepare("SELECT count(*) AS n FROM checkpoints").get()?.n, 2);
  tables.close();
});

test("after close everything is answered, and nothing more is taken", async () => {
  const saves = Array.from({ length: 300 }, (_, n) => save(`step ${n}`));
  await store.close();
  const results = await Promise.all(saves);
  assert.ok(results.every(({ outcome }) => outcome === "saved"));
  await assert.rejects(save("late"), { code: "CLOSED" });
});
