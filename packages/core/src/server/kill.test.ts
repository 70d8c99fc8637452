import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { create, instance, QuicClient, sendRequest } from "@runtara/protocol";

const program = fileURLToPath(import.meta.resolve("../testing/core-process.ts"));

async function startCore(path: string): Promise<{ readonly child: ChildProcess; readonly address: string }> {
  const child = spawn(process.execPath, ["--conditions=runtara-src", program, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  for await (const chunk of child.stdout) {
    output += String(chunk);
    const address = /^ready core (\S+)\n/.exec(output)?.[1];
    if (address !== undefined) return { child, address };
  }
  throw new Error(`the core ended before it was ready: ${output}`);
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

test("I1: a core that is killed under load has everything it has answered", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runtara-core-kill-"));
  const path = join(folder, "core.db");
  const answered = new Map<string, string>();
  let core = await startCore(path);
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
      await kill(core.child);
      await client.close();
      const ends = await workers;
      assert.ok(ends.every((end) => end.status === "rejected" && !(end.reason instanceof assert.AssertionError)));
      core = await startCore(path);
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
    await kill(core.child);
    rmSync(folder, { recursive: true });
  }
});
