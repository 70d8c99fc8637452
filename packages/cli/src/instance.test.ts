// export, replay and resume, as a user calls them.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { open } from "@runtara/sdk/embedded";
import { loadWorkflow } from "@runtara/sdk/worker";
import { runtara, startCore, temporaryFolder } from "./testing.ts";

const orders = join(import.meta.dirname, "../testdata/orders.ts");
const order = await loadWorkflow(orders, "order");

/** A database with an instance that sleeps. */
async function sleepingOrder(folder: string): Promise<string> {
  const url = `sqlite:${join(folder, "app.db")}`;
  await using rt = await open({ store: url, workflows: [order], suspendAfter: 1 });
  const handle = await rt.start(order, 20, { id: "order-7" });
  for await (const change of handle.watch()) {
    if (change.kind === "state" && change.state.status === "suspended") break;
  }
  return url;
}

test("export writes a history, replay runs code against it: fitting, diverged, of another workflow", async (t) => {
  const folder = temporaryFolder(t);
  const url = await sleepingOrder(folder);
  const file = join(folder, "order-7.jsonl");
  const exported = await runtara(t, ["export", "order-7", "--database-url", url, "--output", file]);
  assert.deepEqual(exported, { code: 0, stdout: "", stderr: "" });
  const [head = "", ...lines] = readFileSync(file, "utf8").trimEnd().split("\n");
  const { $rt, format, workflow, status, input } = JSON.parse(head) as Record<string, unknown>;
  assert.deepEqual([$rt, format, workflow, status, input], ["history", 1, "order", "suspended", "20"]);
  assert.ok(lines.some((line) => line.includes('"id":"charge"')));

  const printed = await runtara(t, ["export", "order-7", "--database-url", url]);
  assert.equal(printed.stdout, readFileSync(file, "utf8"));

  const fits = await runtara(t, ["replay", file, "--workflow", orders]);
  assert.deepEqual(fits, { code: 0, stdout: "the code fits; entries delivered: 1\n", stderr: "" });

  const diverged = await runtara(t, ["replay", file, "--workflow", orders], { RENAMED: "1" });
  assert.equal(diverged.code, 1);
  assert.match(diverged.stderr, /code and history differ at entry 1 of 1/);
  assert.match(diverged.stderr, /history: step "charge" [\s\S]*code: +step "charge-card"/);

  writeFileSync(file, readFileSync(file, "utf8").replace('"workflow":"order"', '"workflow":"older"'));
  const stranger = await runtara(t, ["replay", file, "--workflow", orders]);
  assert.equal(stranger.code, 78);
  assert.match(stranger.stderr, /the history is of workflow "older"; .*orders\.ts exports order, other/);
});

test("export and resume through a core; what is not there is said to be not there", async (t) => {
  const folder = temporaryFolder(t);
  const core = await startCore(t, folder);
  const at = ["--server", core.address];
  const input = await runtara(t, ["run", orders, "--workflow", "other", "--instance", "o-1", ...at]);
  assert.equal(input.code, 0, input.stderr);
  const { stdout, code } = await runtara(t, ["export", "o-1", ...at]);
  assert.equal(code, 0);
  assert.match(stdout, /^\{"\$rt":"history","format":1,"instanceId":"o-1"/);
  for (const command of ["export", "resume"]) {
    const unknown = await runtara(t, [command, "o-2", ...at]);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /o-2/);
    assert.equal(unknown.stdout, "");
  }
});

test("resume lets a paused instance go on", async (t) => {
  const folder = temporaryFolder(t);
  const url = await sleepingOrder(folder);
  {
    await using rt = await open({ store: url, workflows: [order], suspendAfter: 1 });
    const handle = rt.get(order, "order-7");
    await handle.pause();
    for await (const change of handle.watch()) {
      if (change.kind === "state" && change.state.reason === "paused") break;
    }
  }
  const resumed = await runtara(t, ["resume", "order-7", "--database-url", url]);
  assert.deepEqual(resumed, { code: 0, stdout: "resumed order-7\n", stderr: "" });
  await using rt = await open({ store: url, workflows: [] });
  assert.notEqual((await rt.get(order, "order-7").status()).reason, "paused");
});

test("a file that is no history, or is not there, is refused", async (t) => {
  const file = join(temporaryFolder(t), "a.jsonl");
  const missing = await runtara(t, ["replay", file, "--workflow", orders]);
  assert.equal(missing.code, 78);
  writeFileSync(file, "{}\n");
  const wrong = await runtara(t, ["replay", file, "--workflow", orders]);
  assert.equal(wrong.code, 78);
  assert.match(wrong.stderr, /no history file/);
});
