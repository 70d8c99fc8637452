import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { instance, management } from "@runtara/protocol";
import { bytes, startTestServer, useServer } from "../server.test.helper.ts";

const server = useServer();
const { InstanceStatus: Status } = management;

for (const port of ["admin", "instance"] as const) {
  const operator = () => server.operators[port];

  test(`${port}: a feed begins with a reset, then brings the instances of a tenant that have changed`, async () => {
    const tenantId = randomUUID();
    const [one, other, stranger] = [randomUUID(), randomUUID(), randomUUID()];
    const first = await operator().watchInstances({ tenantId, waitMs: 60_000 });
    assert.deepEqual([first.instances, first.reset], [[], true]);
    const still = await operator().watchInstances({ tenantId, cursor: first.nextCursor, waitMs: 1 });
    assert.deepEqual([still.instances, still.reset], [[], false]);
    const open = operator().watchInstances({ tenantId, cursor: still.nextCursor, waitMs: 60_000 });
    await operator().startWorkflow({ tenantId: stranger, workflow: "w", instanceId: stranger });
    await operator().startWorkflow({ tenantId, workflow: "w", instanceId: one, tags: { a: "b" } });
    const begun = await open;
    assert.equal(begun.reset, false);
    assert.deepEqual(
      begun.instances.map(({ instanceId, tags, status }) => [instanceId, tags, status]),
      [[one, { a: "b" }, Status.STATUS_PENDING]],
    );
    await server.instances.registerInstance({ instanceId: other, tenantId });
    const type = instance.InstanceEventType.EVENT_COMPLETED;
    const event = { instanceId: other, eventType: type, payload: bytes("out"), timestampMs: 5n };
    await server.instances.instanceEvent(event);
    const after = await operator().watchInstances({ tenantId, cursor: begun.nextCursor });
    const [ended, ...more] = after.instances;
    assert.deepEqual([ended?.instanceId, ended?.status, more], [other, Status.STATUS_COMPLETED, []]);
    await operator().startWorkflow({ tenantId, workflow: "x", instanceId: randomUUID() });
    const everything = await operator().watchInstances({ cursor: first.nextCursor, waitMs: 60_000 });
    const ids = everything.instances.map(({ instanceId }) => instanceId);
    for (const id of [one, other, stranger]) assert.ok(ids.includes(id));
    const filter = { tenantId, workflow: "w", waitMs: 60_000 };
    const ofWorkflow = await operator().watchInstances({ ...filter, cursor: first.nextCursor });
    assert.deepEqual(
      ofWorkflow.instances.map(({ instanceId }) => instanceId),
      [one],
    );
  });

  test(`${port}: a cursor of another server begins anew, one of no server is refused`, async () => {
    const { nextCursor } = await operator().watchInstances({});
    const foreign = nextCursor.replace(/^.{36}/, randomUUID());
    assert.equal((await operator().watchInstances({ cursor: foreign, waitMs: 60_000 })).reset, true);
    const invalid = { rpcCode: "WATCH_INSTANCES_ERROR", fineCode: "VALIDATION_ERROR", isRetryable: false };
    await assert.rejects(operator().watchInstances({ cursor: "nonsense" }), invalid);
    await assert.rejects(operator().watchInstances({ tenantId: "a\0b" }), invalid);
  });
}

test("an open poll counts among the waits of operators until it is answered", async (t) => {
  const { server: core, operators } = await startTestServer(t, { httpAddr: "127.0.0.1:0" });
  const waits = async () => {
    const text = await (await fetch(`http://${core.httpAddress}/metrics`)).text();
    return Number(/^runtara_waiting\{kind="operators"\} (\d+)$/m.exec(text)?.[1]);
  };
  const { nextCursor } = await operators.admin.watchInstances({ tenantId: "t" });
  assert.equal(await waits(), 0);
  const open = Object.values(operators).map((operator) =>
    operator.watchInstances({ tenantId: "t", cursor: nextCursor, waitMs: 60_000 }),
  );
  for (let n = 0; n < 1_000 && (await waits()) < 2; n += 1);
  assert.equal(await waits(), 2);
  await operators.admin.startWorkflow({ tenantId: "t", workflow: "w", instanceId: "i" });
  for (const { instances } of await Promise.all(open)) assert.equal(instances[0]?.instanceId, "i");
  assert.equal(await waits(), 0);
});
