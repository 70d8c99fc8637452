import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { create, instance, QuicClient, sendRequest } from "@runtara/protocol";
import { testDatabase } from "@runtara/store/testing/postgres";
import { kill, startCoreChild } from "../testing/core-child.ts";

test("I1: a core on SQLite that is killed under load has everything it has answered", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runtara-core-kill-"));
  try {
    await killUnderLoad(join(folder, "core.db"));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("I1: a core on PostgreSQL that is killed under load has everything it has answered", async () => {
  await using database = await testDatabase();
  await killUnderLoad(database.url);
});

async function killUnderLoad(database: string): Promise<void> {
  const answered = new Map<string, string>();
  let core = await startCoreChild(database);
  try {
    for (let life = 0; life < 3; life += 1) {
      const client = QuicClient.localhost({ serverAddr: core.address });
      const killAt = 400 * (life + 1);
      let count = 0;
      const { promise: enough, resolve } = Promise.withResolvers<void>();
      const worker = async (lane: number) => {
        const instanceId = `instance ${lane}`;
        await sendRequest(client, create(instance.RegisterInstanceRequestSchema, { instanceId, tenantId: "t" }));
        for (let n = 0; ; n += 1) {
          const checkpointId = `${life}.${n}`;
          const state = `state ${lane} ${checkpointId}`;
          const message = { instanceId, checkpointId, state: Buffer.from(state) };
          const { found } = await sendRequest(client, create(instance.CheckpointRequestSchema, message));
          assert.equal(found, false);
          answered.set(`${instanceId}/${checkpointId}`, state);
          count += 1;
          if (count >= killAt) resolve();
        }
      };
      const workers = Promise.allSettled(Array.from({ length: 16 }, (_, lane) => worker(lane)));
      await enough;
      await kill(core);
      await client.close();
      const ends = await workers;
      assert.ok(ends.every((end) => end.status === "rejected" && !(end.reason instanceof assert.AssertionError)));
      core = await startCoreChild(database);
    }
    const client = QuicClient.localhost({ serverAddr: core.address });
    await Promise.all(
      Array.from(answered, async ([name, state]) => {
        const [instanceId = "", checkpointId = ""] = name.split("/");
        const message = create(instance.GetCheckpointRequestSchema, { instanceId, checkpointId });
        const got = await sendRequest(client, message);
        assert.equal(Buffer.from(got.state).toString(), state);
      }),
    );
    await client.close();
    assert.ok(answered.size >= 2_400);
  } finally {
    await kill(core);
  }
}
