import assert from "node:assert/strict";
import { test } from "node:test";
import { openMemoryStore } from "@runtara/store/memory";
import { FailingStore } from "./failing-store.test.helper.ts";
import { bytes, startTestServer, text } from "./server.test.helper.ts";

const ids = { instanceId: "i", tenantId: "t" };

test("an outage of the store: retryable errors, not ready, and everything goes on afterwards without a restart", async (t) => {
  const store = new FailingStore(openMemoryStore());
  const { server, instances, operators, log } = await startTestServer(t, { httpAddr: "127.0.0.1:0" }, store);
  const ready = async () => {
    const response = await fetch(`http://${server.httpAddress}/readyz`);
    return [response.status, await response.text()];
  };
  await instances.registerInstance(ids);
  await instances.checkpoint({ ...ids, checkpointId: "a", state: bytes("before") });
  assert.deepEqual(await ready(), [200, "ready\n"]);
  const waiting = operators.admin.waitResult({ ...ids, waitMs: 60_000 });
  // It is under way once calls behind it have been answered.
  for (let n = 0; n < 3; n += 1) await operators.admin.getInstanceStatus(ids);

  store.fail();
  const passing = { code: "RPC", isRetryable: true };
  await assert.rejects(instances.checkpoint({ ...ids, checkpointId: "b" }), {
    ...passing,
    rpcCode: "CHECKPOINT_ERROR",
    fineCode: "CHECKPOINT_SAVE_FAILED",
  });
  const database = { ...passing, fineCode: "DATABASE_ERROR" };
  for (const operator of Object.values(operators)) {
    await assert.rejects(operator.getInstanceStatus(ids), { ...database, rpcCode: "GET_INSTANCE_STATUS_ERROR" });
    await assert.rejects(operator.sendSignal(ids), { ...database, rpcCode: "SEND_SIGNAL_ERROR" });
    await assert.rejects(operator.listInstances({ limit: 1 }), { ...database, rpcCode: "LIST_INSTANCES_ERROR" });
    await assert.rejects(operator.pauseInstance(ids), { ...database, rpcCode: "PAUSE_INSTANCE_ERROR" });
    await assert.rejects(operator.waitResult(ids), { ...database, rpcCode: "WAIT_RESULT_ERROR" });
    const { healthy, activeInstances } = await operator.healthCheck({});
    assert.deepEqual([healthy, activeInstances], [false, 0]);
  }
  assert.deepEqual(await ready(), [503, "the store failed (UNAVAILABLE)\n"]);
  assert.equal((await fetch(`http://${server.httpAddress}/healthz`)).status, 200);
  assert.ok(store.failed > 10);
  const said = log.filter(({ message }) => message === "the store failed");
  assert.ok(said.length >= 1 && said.length < store.failed, "the log is not flooded");

  store.recover();
  assert.deepEqual(await ready(), [200, "ready\n"]);
  const { found, state } = await instances.checkpoint({ ...ids, checkpointId: "a", state: bytes("after") });
  assert.deepEqual([found, text(state)], [true, "before"]);
  assert.equal((await instances.checkpoint({ ...ids, checkpointId: "b" })).found, false);
  await operators.instance.killInstance(ids);
  assert.equal((await waiting).finishedAtMs === undefined, false, "a wait that was open outlives the outage");
});

test("a store that hangs: not ready after two seconds, and the call is answered once it is back", async (t) => {
  const store = new FailingStore(openMemoryStore());
  const { server, instances } = await startTestServer(t, { httpAddr: "127.0.0.1:0" }, store);
  await instances.registerInstance(ids);
  store.hang();
  const saved = instances.checkpoint({ ...ids, checkpointId: "a" });
  // Ten probes at once are one look at the store.
  const probes = await Promise.all(Array.from({ length: 10 }, () => fetch(`http://${server.httpAddress}/readyz`)));
  assert.deepEqual(new Set(probes.map(({ status }) => status)), new Set([503]));
  assert.equal(await probes[0]?.text(), "the store has not answered within 2000 ms\n");
  store.recover();
  assert.equal((await saved).found, false);
});

test("a handler that throws: the client is told INTERNAL, the log says it once, and the server lives", async (t) => {
  const store = new FailingStore(openMemoryStore());
  const { operators, instances, log } = await startTestServer(t, {}, store);
  await instances.registerInstance(ids);
  store.run = () => {
    throw new TypeError("a fault of ours");
  };
  for (let n = 0; n < 50; n += 1) {
    await assert.rejects(operators.admin.listInstances({ limit: 1 }), {
      rpcCode: "LIST_INSTANCES_ERROR",
      fineCode: "INTERNAL",
      isRetryable: false,
    });
  }
  const said = log.filter(({ message }) => message === "a management call failed unexpectedly");
  assert.ok(said.length >= 1 && said.length <= 5, `${said.length} lines`);
  assert.match(JSON.stringify(Object.values(said[0]?.details ?? {}).map(String)), /a fault of ours/);
  assert.equal((await instances.checkpoint({ ...ids, checkpointId: "a" })).found, false);
});
