import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openSqliteStore } from "@runtara/store/sqlite";

/** Lets the child run until it has acknowledged `enough` checkpoints, kills it, and returns all that it had acknowledged. */
async function acknowledgedUntilKilled(
  path: string,
  instanceId: string,
  enough: number,
  host: "inline" | "thread",
): Promise<number[]> {
  const program = fileURLToPath(import.meta.resolve("./kill-child.ts"));
  const child = spawn(process.execPath, ["--conditions=runtara-src", program, path, instanceId, host], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  for await (const chunk of child.stdout) {
    output += String(chunk);
    if (output.length > enough * 5) child.kill("SIGKILL");
  }
  const whole = output.slice(0, output.lastIndexOf("\n"));
  return whole.split("\n").map(Number);
}

for (const host of ["inline", "thread"] as const) {
  test(`I1: what was acknowledged before SIGKILL is there, event and checkpoint of one turn together (${host})`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "runtara-kill-"));
    try {
      const path = join(folder, "store.db");
      for (const [life, enough] of [200, 3_000, 9_000].entries()) {
        const instanceId = `life ${life}`;
        const acknowledged = await acknowledgedUntilKilled(path, instanceId, enough, host);
        assert.ok(acknowledged.length >= enough / 2, `${acknowledged.length} acknowledged`);
        const store = await openSqliteStore({ engine: "sqlite", path, create: true });
        const states = await Promise.all(
          acknowledged.map((n) => store.run({ kind: "loadCheckpoint", instanceId, checkpointId: `step ${n}` })),
        );
        for (const [index, state] of states.entries()) {
          assert.ok(state.outcome === "found");
          assert.equal(new TextDecoder().decode(state.state), `state ${acknowledged[index]}`);
        }
        const read = await store.run({ kind: "readInstance", instanceId });
        const listed = await store.run({ kind: "listEvents", instanceId, limit: 1 });
        assert.ok(read.outcome === "found" && listed.outcome === "page");
        const { events } = listed;
        // A turn of the child is one transaction of 50 pairs: never a part of it.
        assert.equal(read.instance.checkpointCount % 50, 0);
        assert.ok(read.instance.checkpointCount >= acknowledged.length);
        assert.equal(events[0]?.subtype, String(read.instance.checkpointCount - 1));
        assert.equal(read.instance.checkpointId, `step ${read.instance.checkpointCount - 1}`);
        await store.close();
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
