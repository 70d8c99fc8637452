import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Operation } from "@runtara/store";
import { Engine } from "./engine.ts";
import { openDatabase } from "./open-database.ts";

const register: Operation = {
  kind: "registerInstance",
  instanceId: "i",
  tenantId: "t",
  checkTenant: false,
  seed: new Uint8Array(16),
  nowMs: 1,
  staleAfterMs: 0,
};

function save(checkpointId: string, bytes: number): Operation {
  return { kind: "saveCheckpoint", instanceId: "i", checkpointId, state: new Uint8Array(bytes), nowMs: 1 };
}

test("without space a write fails as a whole, what was acknowledged stays, and it goes on once there is space", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runtara-full-"));
  const database = await openDatabase({ engine: "sqlite", path: join(folder, "store.db"), create: true });
  try {
    const engine = new Engine(database);
    engine.run([register, save("a", 100)]);
    const { page_count: pages } = database.prepare("PRAGMA page_count").get() ?? {};
    database.exec(`PRAGMA max_page_count = ${Number(pages) + 2}`);
    const outcomes = engine.run([save("b", 100), save("c", 1_000_000)]);
    assert.deepEqual(
      outcomes.map(({ error }) => error?.code),
      ["FULL", "FULL"],
    );
    assert.match(outcomes[0]?.error?.message ?? "", /free some space/);
    const found = (id: string) =>
      engine.run([{ kind: "loadCheckpoint", instanceId: "i", checkpointId: id }])[0]?.result;
    assert.deepEqual(
      ["a", "b", "c"].map((id) => {
        const result = found(id);
        return result !== undefined && "outcome" in result ? result.outcome : undefined;
      }),
      ["found", "missing", "missing"],
    );
    database.exec("PRAGMA max_page_count = 100000");
    const again = engine.run([save("b", 100), save("c", 1_000_000)]);
    assert.ok(again.every(({ error }) => error === undefined));
  } finally {
    database.close();
    rmSync(folder, { recursive: true });
  }
});

test("what another process has written is told, also when the transaction that noticed it fails", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runtara-others-"));
  const location = { engine: "sqlite", path: join(folder, "store.db"), create: true } as const;
  const [mine, others] = await Promise.all([openDatabase(location), openDatabase(location)]);
  try {
    const engine = new Engine(mine);
    engine.watched = true;
    new Engine(others).run([register]);
    mine.exec("PRAGMA max_page_count = 1");
    const [failed] = engine.run([save("a", 1_000_000)]);
    assert.equal(failed?.error?.code, "FULL");
    assert.deepEqual(engine.takeNotices(), [{ topic: "anything" }]);
    assert.deepEqual(engine.takeNotices(), []);
  } finally {
    mine.close();
    others.close();
    rmSync(folder, { recursive: true });
  }
});
