// SPDX-License-Identifier: AGPL-3.0-or-later
// The original's environment 1.4.1 and workflows on its SDK run with our core, on one PostgreSQL database that the
// environment migrated first. `npm run test:environment`: needs a long build, so it is no part of the matrix's run.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { instanceClient, management, managementClient, managementThrough, QuicClient } from "@runtara/protocol";
import { runInstance } from "@runtara/sdk/worker";
import { administer } from "@runtara/store/testing/postgres";
import { Scene, tenantId, upTo } from "./environment-scene.ts";
import { checkpointsOfBoth, eventTypes, outputOf, statusOfBoth, stepIds } from "./environment-views.ts";
import { ledger } from "./workflows.ts";

// The original gives up on instances after 120 s (its heartbeat monitor), so everything is below that.
const deadline = { timeout: 60_000 };
/** A client of the original may find out only after 10 s (its keep-alive) that a killed core is a new one. */
const deadlineOfKills = { timeout: 110_000 };

let scene: Scene;
/** Written while the original was alone. */
const earlier = { completed: "", paused: "" };

before(async () => {
  scene = await Scene.begin();
  earlier.completed = await scene.launch([{ steps: 3 }]);
  earlier.paused = await scene.launch([{ steps: 30, delayMs: 30 }]);
  await scene.steps(earlier.paused, 2);
  await scene.signal(earlier.paused, "pause");
  await scene.reaches(earlier.paused, "suspended");
  await scene.reaches(earlier.completed, "completed");
  await scene.woundUp(earlier.paused);
  await scene.stopEnvironment();
  await scene.startCore();
  await scene.startEnvironment();
}, deadline);
after(() => scene?.[Symbol.asyncDispose]());

test("our core has the port: the environment's own could not take it", deadline, async () => {
  await using client = QuicClient.localhost({ serverAddr: scene.coreAddress });
  const health = await managementClient(managementThrough("instance", client)).healthCheck({});
  assert.equal(health.healthy, true);
  const unknown = await instanceClient(client).getInstanceStatus({ instanceId: "nobody" });
  assert.equal(unknown.error, "Instance not found");
});

test("what finished under the original's core is told alike by both", deadline, async () => {
  const status = await statusOfBoth(scene, earlier.completed, "completed");
  assert.deepEqual(outputOf(status), { saved: 4, found: 0, approvals: [], word: "kept" });
  assert.deepEqual(await checkpointsOfBoth(scene, earlier.completed), stepIds(3));
});

test("an instance paused under the original's core goes on under ours", deadline, async () => {
  const before = await statusOfBoth(scene, earlier.paused, "suspended");
  const saved = (await checkpointsOfBoth(scene, earlier.paused)).length;
  assert.ok(saved >= 3 && saved < 31, `${saved} checkpoints`);
  await scene.resume(earlier.paused);
  const status = await statusOfBoth(scene, earlier.paused, "completed");
  assert.deepEqual(outputOf(status), { saved: 31 - saved, found: saved, approvals: [], word: "kept" });
  assert.ok(status.startedAtMs !== undefined && status.startedAtMs > (before.startedAtMs ?? 0n));
  assert.deepEqual(scene.ledger(earlier.paused), upTo(30), "no step ran twice");
});

test("a launched instance saves its checkpoints in our core and completes", deadline, async () => {
  const id = await scene.launch([{ steps: 5 }]);
  const status = await statusOfBoth(scene, id, "completed");
  assert.deepEqual(outputOf(status), { saved: 6, found: 0, approvals: [], word: "kept" });
  assert.deepEqual([status.tenantId, status.imageName, status.retryCount], [tenantId, "workflow:1", 1]);
  assert.deepEqual(await checkpointsOfBoth(scene, id), stepIds(5));
  assert.deepEqual(await eventTypes(scene, id), ["started", "completed"]);
  const listed = await scene.core.management.listInstances({ tenantId, limit: 100 });
  const { instances, totalCount } = await scene.environment.client.listInstances({ tenantId });
  assert.deepEqual(
    listed.instances.map((row) => [row.instanceId, row.status]),
    instances.map((row) => [row.instanceId, row.status]),
  );
  assert.equal(listed.totalCount, totalCount);
});

test("a failure is told alike by both", deadline, async () => {
  const id = await scene.launch([{ steps: 1 }, { fail: "no more paper" }]);
  const status = await statusOfBoth(scene, id, "failed");
  assert.equal(status.error, "no more paper");
  assert.deepEqual(await eventTypes(scene, id), ["started", "failed"]);
});

test("paused by the environment, then resumed by it", deadline, async () => {
  const id = await scene.launch([{ steps: 40, delayMs: 25 }]);
  await scene.steps(id, 3);
  await scene.signal(id, "pause");
  await statusOfBoth(scene, id, "suspended");
  const saved = (await checkpointsOfBoth(scene, id)).length;
  assert.ok(saved < 41, "it stopped in the middle");
  await scene.resume(id);
  const status = await statusOfBoth(scene, id, "completed");
  assert.deepEqual(outputOf(status), { saved: 41 - saved, found: saved, approvals: [], word: "kept" });
  assert.deepEqual(scene.ledger(id), upTo(40));
  assert.deepEqual(await eventTypes(scene, id), ["started", "suspended", "started", "completed"]);
});

test("paused by our core's management, resumed by the environment", deadline, async () => {
  const id = await scene.launch([{ steps: 40, delayMs: 25 }]);
  await scene.steps(id, 3);
  const { SIGNAL_PAUSE } = management.SignalType;
  const sent = await scene.core.management.sendSignal({ instanceId: id, signalType: SIGNAL_PAUSE });
  assert.equal(sent.success, true);
  await statusOfBoth(scene, id, "suspended");
  await scene.resume(id);
  await statusOfBoth(scene, id, "completed");
  assert.deepEqual(scene.ledger(id), upTo(40));
});

test("cancelled by the environment", deadline, async () => {
  const id = await scene.launch([{ steps: 200, delayMs: 25 }]);
  await scene.steps(id, 3);
  await scene.signal(id, "cancel");
  const status = await statusOfBoth(scene, id, "cancelled");
  assert.ok(status.finishedAtMs !== undefined);
  const saved = (await checkpointsOfBoth(scene, id)).length;
  assert.ok(saved < 201, "it stopped in the middle");
  const signals = "SELECT acknowledged_at IS NOT NULL FROM pending_signals WHERE instance_id";
  assert.deepEqual(await administer(scene.database.url, `${signals} = '${id}'`), [["t"]]);
  const again = await scene.environment.client.resumeInstance({ instanceId: id });
  assert.match(again.error, /'cancelled' state/);
});

test("stopped by the environment: our core takes nothing more of it", deadline, async () => {
  const id = await scene.launch([{ steps: 200, delayMs: 25 }]);
  await scene.steps(id, 3);
  const stopped = await scene.environment.client.stopInstance({ instanceId: id });
  assert.equal(stopped.error, "");
  await statusOfBoth(scene, id, "cancelled");
  await using client = QuicClient.localhost({ serverAddr: scene.coreAddress });
  const late = instanceClient(client).checkpoint({ instanceId: id, checkpointId: "late", state: Buffer.from("1") });
  await assert.rejects(late, { rpcCode: "CHECKPOINT_ERROR", message: /'cancelled'/ });
});

test("a custom signal of either reaches the workflow", deadline, async () => {
  const id = await scene.launch([{ approval: "first" }, { approval: "second" }]);
  await scene.reaches(id, "running");
  const theirs = { instanceId: id, checkpointId: "first", payload: Buffer.from("from the environment") };
  assert.equal((await scene.environment.client.sendCustomSignal(theirs)).error, "");
  const ours = { instanceId: id, checkpointId: "second", payload: Buffer.from("from our core") };
  assert.equal((await scene.core.management.sendCustomSignal(ours)).error, "");
  const status = await statusOfBoth(scene, id, "completed");
  const approvals = ["from the environment", "from our core"];
  assert.deepEqual(outputOf(status), { saved: 1, found: 0, approvals, word: "kept" });
});

test("it sleeps in our core, then out of it until the environment wakes it, and goes on", deadline, async () => {
  const id = await scene.launch([{ steps: 2 }, { nap: 300 }, { doze: 1_000 }]);
  const asleep = await statusOfBoth(scene, id, "suspended");
  const due = "SELECT sleep_until > finished_at FROM instances WHERE instance_id";
  assert.deepEqual(await administer(scene.database.url, `${due} = '${id}'`), [["t"]]);
  assert.equal(asleep.checkpointId, "rest-2");
  const status = await statusOfBoth(scene, id, "completed");
  assert.deepEqual(outputOf(status), { saved: 0, found: 4, approvals: [], word: "kept" });
  assert.ok((status.startedAtMs ?? 0n) - (asleep.startedAtMs ?? 0n) >= 1_300n, "neither rest was cut short");
  assert.deepEqual(scene.ledger(id), [1, 2]);
  assert.deepEqual(await eventTypes(scene, id), ["started", "started", "completed"]);
});

test("a failed attempt is noted beside the checkpoints, not among them", deadline, async () => {
  const id = await scene.launch([{ retry: "charge" }, { steps: 1 }]);
  await statusOfBoth(scene, id, "completed");
  const listed = await scene.environment.client.listCheckpoints({ instanceId: id });
  assert.deepEqual(listed.checkpoints.map((row) => row.checkpointId).reverse(), ["input", "step-1"]);
  const ours = await scene.core.management.listCheckpoints({ instanceId: id, limit: 100 });
  assert.deepEqual(
    new Set(ours.checkpoints.map((row) => row.checkpointId)),
    new Set(["input", "step-1", "charge::retry::1"]),
  );
});

test("cancelled while it is suspended: it learns of it when it is resumed", deadline, async () => {
  const id = await scene.launch([{ steps: 200, delayMs: 25 }]);
  await scene.steps(id, 3);
  await scene.signal(id, "pause");
  await statusOfBoth(scene, id, "suspended");
  await scene.signal(id, "cancel");
  await scene.resume(id);
  await statusOfBoth(scene, id, "cancelled");
  assert.deepEqual(await eventTypes(scene, id), ["started", "suspended", "started"]);
});

test(
  "I2: our core is killed and started again under workflows: nothing acknowledged is lost",
  deadlineOfKills,
  async () => {
    const plan = [{ steps: 60, delayMs: 20 }];
    const ids = await Promise.all([1, 2, 3].map(() => scene.launch(plan)));
    const ends = ["SIGKILL", "SIGTERM", "SIGKILL"] as const;
    for (const [index, signal] of ends.entries()) {
      await Promise.all(ids.map((id) => scene.steps(id, 3 + 15 * index)));
      await scene.core.startAgain(signal);
    }
    for (const id of ids) {
      const status = await statusOfBoth(scene, id, "completed");
      const { saved, found } = outputOf(status) as { saved: number; found: number };
      assert.equal(saved + found, 61);
      assert.ok(found <= ends.length, `${found} were saved without an answer, more than could be in flight`);
      // The process went on and never saved one again that was acknowledged, so a lost one would be missing here.
      assert.deepEqual(await checkpointsOfBoth(scene, id), stepIds(60));
      assert.deepEqual(scene.ledger(id), upTo(60));
    }
  },
);

test("the environment is started again under a running workflow, which our core carries on", deadline, async () => {
  const id = await scene.launch([{ steps: 60, delayMs: 25 }]);
  await scene.steps(id, 3);
  await scene.stopEnvironment();
  await scene.startEnvironment();
  const status = await statusOfBoth(scene, id, "completed");
  assert.deepEqual(outputOf(status), { saved: 61, found: 0, approvals: [], word: "kept" });
});

test("silence: our core leaves a launched instance alone, one that nobody launched is lost", deadline, async () => {
  const launched = await scene.launch([{ steps: 1, delayMs: 3 * scene.staleAfterMs }]);
  await using client = QuicClient.localhost({ serverAddr: scene.coreAddress });
  const instanceId = `${randomUUID()}-silent`;
  await instanceClient(client).registerInstance({ instanceId, tenantId });
  await scene.reaches(instanceId, "suspended");
  const { details } = await scene.core.management.getInstanceStatus({ instanceId });
  assert.equal(details?.reason, "lost");
  await statusOfBoth(scene, launched, "completed");
  assert.deepEqual(await eventTypes(scene, launched), ["started", "completed"]);
});

test("a workflow of our SDK on the same core is told alike by both", deadline, async () => {
  const instanceId = `${randomUUID()}-ours`;
  const input = { file: join(scene.folder, "ledger.txt"), steps: 12 };
  const outcome = await runInstance(ledger, { instanceId, tenantId, server: scene.coreAddress, input });
  assert.equal(outcome.status, "completed");
  const status = await statusOfBoth(scene, instanceId, "completed");
  assert.deepEqual([status.tenantId, status.imageId], [tenantId, ""]);
  assert.ok((await checkpointsOfBoth(scene, instanceId)).length >= 12);
});
