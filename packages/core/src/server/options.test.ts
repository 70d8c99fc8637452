import assert from "node:assert/strict";
import { test } from "node:test";
import { instance, management } from "@runtara/protocol";
import { openMemoryStore } from "@runtara/store/memory";
import { FakeClock } from "../timers/testing/fake-clock.ts";
import { FailingStore } from "./failing-store.test.helper.ts";
import { startTestServer } from "./server.test.helper.ts";

const { InstanceStatus: Status } = management;
const minuteMs = 60_000;

test("tenantChecks: an instance is registered by its own tenant only", async (t) => {
  for (const tenantChecks of [false, true]) {
    const { instances } = await startTestServer(t, { tenantChecks });
    await instances.registerInstance({ instanceId: "i", tenantId: "one" });
    const { success, error } = await instances.registerInstance({ instanceId: "i", tenantId: "other" });
    assert.equal(success, !tenantChecks, error);
  }
});

test("stateBytesMax: a longer state is refused, naming the limit", async (t) => {
  const { instances } = await startTestServer(t, { stateBytesMax: 10 });
  await instances.registerInstance({ instanceId: "i", tenantId: "t" });
  await instances.checkpoint({ instanceId: "i", checkpointId: "a", state: new Uint8Array(10) });
  const tooLong = instances.checkpoint({ instanceId: "i", checkpointId: "b", state: new Uint8Array(11) });
  await assert.rejects(tooLong, { fineCode: "VALUE_TOO_LARGE", message: /11 bytes; at most 10/ });
});

test("R2: maxConcurrentInstances holds back claims, not registrations", async (t) => {
  const { instances, operators } = await startTestServer(t, { maxConcurrentInstances: 2 });
  for (const instanceId of ["a", "b", "c"]) {
    await operators.admin.startWorkflow({ tenantId: "t", workflow: "w", instanceId });
  }
  const claim = { workerId: "w", tenantId: "t", workflows: [{ name: "w" }], capacity: 10, waitMs: 1 };
  assert.equal((await instances.claimWork(claim)).work.length, 2);
  assert.equal((await instances.registerInstance({ instanceId: "d", tenantId: "t" })).success, true);
});

test("R6: staleAfterMs: one that is silent for so long is suspended as lost", async (t) => {
  const clock = new FakeClock();
  const { instances, operators } = await startTestServer(t, { clock, staleAfterMs: 10 * minuteMs });
  await instances.registerInstance({ instanceId: "i", tenantId: "t" });
  const seen = async () => {
    const { status, details } = await operators.admin.getInstanceStatus({ instanceId: "i" });
    return [status, details?.reason];
  };
  await clock.pass(9 * minuteMs);
  assert.deepEqual(await seen(), [Status.STATUS_RUNNING, undefined]);
  await clock.pass(3 * minuteMs);
  assert.deepEqual(await seen(), [Status.STATUS_SUSPENDED, "lost"]);
});

test("retention: what has ended is removed at its age, what runs stays", async (t) => {
  const clock = new FakeClock();
  const { instances, operators } = await startTestServer(t, {
    clock,
    staleAfterMs: 0,
    retention: { instancesMs: 30 * minuteMs },
  });
  for (const instanceId of ["ended", "running"]) await instances.registerInstance({ instanceId, tenantId: "t" });
  const eventType = instance.InstanceEventType.EVENT_COMPLETED;
  await instances.instanceEvent({ instanceId: "ended", eventType, timestampMs: 1n });
  const total = async () => (await operators.admin.listInstances({ limit: 10 })).totalCount;
  await clock.pass(29 * minuteMs);
  assert.equal(await total(), 2);
  await clock.pass(3 * minuteMs);
  assert.equal(await total(), 1);
  assert.equal((await operators.admin.getInstanceStatus({ instanceId: "running" })).status, Status.STATUS_RUNNING);
});

test("drainMs: a call that takes longer is cut off, and the log says so", async (t) => {
  const store = new FailingStore(openMemoryStore());
  const { server, instances, operators, log } = await startTestServer(t, { drainMs: 0 }, store);
  await instances.registerInstance({ instanceId: "i", tenantId: "t" });
  store.hang();
  const cut = assert.rejects(instances.checkpoint({ instanceId: "i", checkpointId: "a" }));
  const cutToo = assert.rejects(operators.admin.listInstances({ limit: 1 }));
  while (store.kept < 2) await new Promise((resolve) => setImmediate(resolve));
  const closed = server.close();
  await cut;
  await cutToo;
  store.recover();
  await closed;
  const said = log.find(({ message }) => message.startsWith("calls were cut off"));
  assert.deepEqual(said?.details, { unansweredCalls: 2 });
});
