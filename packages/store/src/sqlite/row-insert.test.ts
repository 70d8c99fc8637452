import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type InstanceRow, newRow } from "../decide/index.ts";
import { CheckpointIndex } from "./checkpoint-index.ts";
import { InstanceRows } from "./instance-rows.ts";
import { openDatabase } from "./open-database.ts";
import { Connection } from "./statements.ts";

/** Something that no new row has by itself. */
function other(column: string, value: unknown): unknown {
  const texts = new Map<string, unknown>([
    ["status", "running"],
    ["waitingFor", ["a"]],
    ["recordedSignal", "pause"],
    ["pendingSignal", "cancel"],
    ["seed", new Uint8Array([7])],
  ]);
  if (texts.has(column)) return texts.get(column);
  if (typeof value === "boolean") return !value;
  return column.endsWith("Ms") || typeof value === "number" || ["exitCode", "claimSequence"].includes(column)
    ? 77
    : "other";
}

test("each column of a new row is written, whichever of them differ from their defaults", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runtara-insert-"));
  const database = await openDatabase({ engine: "sqlite", path: join(folder, "store.db"), create: true });
  try {
    const connection = new Connection(database);
    const checkpoints = new CheckpointIndex(connection);
    checkpoints.refresh();
    const rows = new InstanceRows(connection, checkpoints);
    const plain = newRow({ instanceId: "i", tenantId: "t", seed: new Uint8Array(2), createdAtMs: 1 });
    for (const [column, value] of Object.entries(plain)) {
      const instanceId = column === "instanceId" ? "other" : `with other ${column}`;
      const row = { ...plain, instanceId, [column]: column === "instanceId" ? instanceId : other(column, value) };
      rows.insert(row as InstanceRow, {}, null);
      rows.forget();
      assert.deepEqual(rows.get(instanceId)?.row, row, column);
    }
    const tagged = rows.insert({ ...plain, instanceId: "tagged" }, { a: "b" }, null);
    const found = database.prepare("SELECT tags FROM instances WHERE instance_key = ?").get(tagged.key);
    assert.equal(found?.tags, '{"a":"b"}');
  } finally {
    database.close();
    rmSync(folder, { recursive: true });
  }
});
