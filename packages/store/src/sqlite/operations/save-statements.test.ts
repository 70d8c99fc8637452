import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Operation } from "@runtara/store";
import { Engine } from "../engine.ts";
import { openDatabase } from "../open-database.ts";

const state = new Uint8Array(8);
const register: Operation = {
  kind: "registerInstance",
  instanceId: "i",
  tenantId: "t",
  checkTenant: false,
  seed: new Uint8Array(16),
  nowMs: 1,
  staleAfterMs: 0,
};

function save(checkpointId: string): Operation {
  return { kind: "saveCheckpoint", instanceId: "i", checkpointId, state, nowMs: 1 };
}

function batch(...ids: readonly string[]): Operation {
  const entries = ids.map((checkpointId) => ({ checkpointId, state }));
  return { kind: "saveBatch", instanceId: "i", epoch: 1, entries, messages: [], nowMs: 1 };
}

test("entries of a batch cost one statement each, and the transaction what it costs a single save", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runtara-statements-"));
  const database = await openDatabase({ engine: "sqlite", path: join(folder, "store.db"), create: true });
  try {
    const engine = new Engine(database);
    engine.run([register]);
    const cost = (operation: Operation) => {
      const before = engine.statements;
      const [outcome] = engine.run([operation]);
      assert.ok(outcome?.result !== undefined && "outcome" in outcome.result && outcome.result.outcome === "saved");
      return engine.statements - before;
    };
    cost(save("warm"));
    // Begin, look whether others have written, insert, commit.
    assert.equal(cost(save("single")), 4);
    assert.equal(cost(batch("one")), 4);
    assert.equal(cost(batch("a", "b", "c")), 6);
  } finally {
    database.close();
    rmSync(folder, { recursive: true });
  }
});
