import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { RemoveOld, Store } from "@runtara/store";
import pg from "pg";
import { limits } from "../../limits.ts";
import { administer, type TestDatabase, testDatabase } from "../../testing/postgres-server.ts";
import { openPostgresStore } from "../index.ts";
import { locationOf, until } from "../postgres.test.helper.ts";
import { turnStatement } from "./remove-old-statements.ts";

describe("removeOld, leases and claims on PostgreSQL", () => {
  let database: TestDatabase;
  let store: Store;
  /** Another program on the same database. */
  let other: pg.Client;

  before(async () => {
    database = await testDatabase();
    store = await openPostgresStore(locationOf(database.url));
    other = new pg.Client({ connectionString: database.url });
    await other.connect();
  });
  beforeEach(() => administer(database.url, "DELETE FROM instances; DELETE FROM workers"));
  after(async () => {
    await store.close();
    await other.end();
    await database[Symbol.asyncDispose]();
  });

  const remove = (more: Partial<RemoveOld>) => store.run({ kind: "removeOld", limit: 1_000, nowMs: 1, ...more });
  const renew = (workerId: string) => store.run({ kind: "renewLease", workerId, leaseMs: 1_000, nowMs: 1 });
  const claim = (workerId: string) =>
    store.run({
      kind: "claimWork",
      workerId,
      tenantId: "t",
      offers: [{ name: "w", versions: [] }],
      capacity: 1,
      received: 0,
      leaseMs: 5_000,
      runningMax: 0,
      bytesMax: 1_000,
      nowMs: 1,
    });

  /** Until so many connections to the database wait for a lock. */
  async function waiting(count: number): Promise<void> {
    const text = `SELECT count(*) FROM pg_stat_activity WHERE datname = '${database.name}' AND wait_event_type = 'Lock'`;
    const isSo = async () => (await administer(database.url, text))[0]?.[0] === String(count);
    await until(`${count} connection(s) wait for a lock`, isSo);
  }

  test("a sweep looks at a bounded number of ended instances each round, and gets to all of them, adopted ones too", async () => {
    const count = 2 * limits.removeLooksMax + 1;
    await administer(
      database.url,
      `INSERT INTO instances (instance_id, tenant_id, status, created_at, finished_at)
         SELECT 'e' || n, 't', 'failed', to_timestamp(n), CASE WHEN n % 2 = 0 THEN to_timestamp(n) END
         FROM generate_series(1, ${count}) AS n;
       INSERT INTO checkpoints (instance_id, checkpoint_id, state, created_at)
         VALUES ('e${count}', 'old', '', to_timestamp(1)), ('e${count}', 'young', '', to_timestamp(1000))`,
    );
    const nothing = { outcome: "removed", instances: 0, events: 0, checkpoints: 0, more: true };
    assert.deepEqual(await remove({ checkpointsBeforeMs: 2_000 }), nothing);
    assert.deepEqual(await remove({ checkpointsBeforeMs: 2_000 }), nothing);
    assert.deepEqual(await remove({ checkpointsBeforeMs: 2_000 }), { ...nothing, checkpoints: 1, more: false });
    // Without a bound on rows the sweep ends where instances are too young.
    assert.deepEqual(await remove({ instancesEndedBeforeMs: 4_000 }), { ...nothing, instances: 3, more: false });
    assert.deepEqual(await remove({ instancesEndedBeforeMs: 4_000 }), { ...nothing, more: false });
  });

  test("while retention waits, leases, claims, timers and writes go on", async () => {
    await other.query("BEGIN");
    await other.query(turnStatement.text);
    const removing = remove({ instancesEndedBeforeMs: 1 });
    await waiting(1);
    assert.equal((await renew("worker")).leaseUntilMs, 1_001);
    assert.equal((await claim("worker")).outcome, "claimed");
    assert.equal((await store.run({ kind: "fireDue", nowMs: 1, staleAfterMs: 0, limit: 10 })).outcome, "fired");
    assert.equal((await store.run({ kind: "settleEnded", nowMs: 1, limit: 10 })).outcome, "settled");
    await waiting(1);
    await other.query("ROLLBACK");
    assert.equal((await removing).outcome, "removed");
  });

  test("a claim that waits for a row holds up its own worker's renewal, nothing of others, and no timers", async () => {
    await store.run({
      kind: "startInstance",
      instanceId: "i",
      tenantId: "t",
      workflow: "w",
      tags: {},
      seed: new Uint8Array(16),
      nowMs: 1,
    });
    const first = await claim("slow");
    assert.ok(first.outcome === "claimed" && first.work.length === 1);
    await other.query("BEGIN");
    await other.query("SELECT FROM instances FOR UPDATE");
    const again = claim("slow");
    await waiting(1);
    const own = renew("slow");
    for (let n = 0; n < 5; n += 1) {
      assert.equal((await renew(`other${n}`)).leaseUntilMs, 1_001);
      assert.deepEqual((await claim(`other${n}`)).work, []);
    }
    const work = [{ instanceId: "unknown", epoch: 1, handBack: false, delayMs: 0, reason: "" }];
    assert.equal((await store.run({ kind: "releaseWork", workerId: "other0", work, nowMs: 1 })).outcome, "released");
    assert.equal((await store.run({ kind: "settleEnded", nowMs: 1, limit: 10 })).outcome, "settled");
    const seen = [{ instanceId: "unknown", atMs: 1 }];
    assert.equal((await store.run({ kind: "touchInstances", seen })).outcome, "touched");
    assert.equal((await store.run({ kind: "fireDue", nowMs: 1, staleAfterMs: 0, limit: 10 })).outcome, "fired");
    await waiting(1);
    await other.query("ROLLBACK");
    const answer = await again;
    assert.ok(answer.outcome === "claimed" && answer.work.length === 1, "unconfirmed work is given again");
    assert.equal((await own).leaseUntilMs, 5_001);
  });
});
