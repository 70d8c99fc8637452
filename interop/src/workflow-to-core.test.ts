// SPDX-License-Identifier: AGPL-3.0-or-later
// A workflow of ours runs on the original core over the base protocol: to its end, through SIGKILL, into a cancel.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before } from "node:test";
import { type RunEvent, type RunInstanceOptions, runInstance } from "@runtara/sdk/worker";
import { cell } from "./cell.ts";
import { temporaryFolder } from "./folder.ts";
import { OriginalDatabase } from "./original-database.ts";
import { ServerPeer } from "./peer.ts";
import { ledger, patient } from "./workflows.ts";

const direction = "ourSdkToCore";
let folder: string;
let core: ServerPeer;
let database: OriginalDatabase;

before(async () => {
  folder = temporaryFolder();
  const file = join(folder, "core.db");
  core = await ServerPeer.start("original-core", "127.0.0.1:0", file);
  database = new OriginalDatabase(file);
});
after(async () => {
  database[Symbol.dispose]();
  await core.stop();
});

function options(instanceId: string): RunInstanceOptions {
  return { instanceId, server: core.address, dangerouslySkipVerification: true, signalPollIntervalMs: 20 };
}

cell(direction, "workflow run", async () => {
  const file = join(folder, "run.txt");
  const input = { file, steps: 5 };
  const outcome = await runInstance(ledger, { ...options("run"), input });
  assert.equal(outcome.status, "completed");
  assert.deepEqual(outcome.output, { sum: 15, at: new Date(0), failure: "the last one fails" });
  assert.equal(await readFile(file, "utf8"), "1\n2\n3\n4\n5\n");
  assert.equal(database.status("run"), "completed");

  const again = await runInstance(ledger, { ...options("run"), input });
  assert.deepEqual(again, { ...outcome, earlier: true });
  assert.equal(await readFile(file, "utf8"), "1\n2\n3\n4\n5\n", "nothing ran a second time");
});

cell(direction, "workflow resumed", async () => {
  const file = join(folder, "resumed.txt");
  const input = { file, steps: 30 };
  let kills = 0;
  for (const savedBeforeKill of [4, 7]) kills += await runAndKill("resumed", input, savedBeforeKill);
  assert.equal(kills, 2);
  const seen: RunEvent[] = [];
  const outcome = await runInstance(ledger, { ...options("resumed"), input, onEvent: (event) => seen.push(event) });
  assert.equal(outcome.status, "completed");
  assert.deepEqual(outcome.output, { sum: 465, at: new Date(0), failure: "the last one fails" });
  const live = seen.find((event) => event.type === "live");
  assert.ok(live !== undefined && live.replayed >= 11, "at least what was acknowledged before the kills is replayed");
  // A step in flight at a kill may have run twice; none was left out, none that was acknowledged ran again.
  const lines = (await readFile(file, "utf8")).trim().split("\n").map(Number);
  assert.deepEqual(
    [...new Set(lines)],
    Array.from({ length: 30 }, (_, n) => n + 1),
  );
  assert.ok(lines.length <= 30 + kills, `more was repeated than was in flight: ${lines.join(" ")}`);
});

/** Starts the workflow in a process of its own and SIGKILLs that once it has saved so many entries. Returns 1 if it was killed. */
async function runAndKill(instanceId: string, input: object, savedBeforeKill: number): Promise<number> {
  const program = join(import.meta.dirname, "workflow-child.ts");
  const args = ["--conditions=runtara-src", program, core.address, instanceId, JSON.stringify(input)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  let saved = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if ((JSON.parse(line) as { type: string }).type === "saved") saved++;
    if (saved === savedBeforeKill) child.kill("SIGKILL");
  }
  const [, signal] = await exited;
  return signal === "SIGKILL" ? 1 : 0;
}

cell(direction, "workflow cancelled", async () => {
  const running = runInstance(patient, {
    ...options("cancelled"),
    input: undefined,
    onEvent(event) {
      if (event.type === "saved" && event.name === "before") database.putSignal("cancelled", "cancel", "enough");
    },
  });
  assert.equal((await running).status, "cancelled");
  assert.equal(database.status("cancelled"), "cancelled");
  assert.notEqual(database.acknowledgedAt("cancelled"), null);
  assert.ok(database.checkpointIds("cancelled").includes("tidy-up"), "finally blocks may still take steps");
});
