import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMetrics } from "@runtara/server-kit/testing";
import { openMemoryStore } from "@runtara/store/memory";
import { FailingStore } from "./failing-store.test.helper.ts";
import { startTestServer } from "./server.test.helper.ts";

test("without an address there is no HTTP", async (t) => {
  const { server } = await startTestServer(t);
  assert.equal(server.httpAddress, undefined);
});

test("the metrics count calls by name and outcome, and tell store, connections and process", async (t) => {
  const { server, instances, operators } = await startTestServer(t, { httpAddr: "127.0.0.1:0" });
  await instances.registerInstance({ instanceId: "i", tenantId: "t" });
  for (let n = 0; n < 5; n += 1) await instances.checkpoint({ instanceId: "i", checkpointId: `c${n}` });
  await assert.rejects(instances.checkpoint({ instanceId: "nobody", checkpointId: "c" }));
  await operators.admin.healthCheck({});
  await operators.instance.healthCheck({});
  const nap = instances.sleep({ instanceId: "i", checkpointId: "nap", durationMs: 60_000n });
  // The nap is under way once a call behind it has been answered.
  for (let n = 0; n < 3; n += 1) await instances.getInstanceStatus({ instanceId: "i" });
  const response = await fetch(`http://${server.httpAddress}/metrics`);
  assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const { families, samples } = parseMetrics(await response.text());
  const value = (name: string, labels: Record<string, string> = {}) =>
    samples.find(
      (sample) => sample.name === name && Object.entries(labels).every(([key, label]) => sample.labels[key] === label),
    )?.value;
  const calls = (call: string, outcome: string, protocol = "instance") =>
    value("runtara_calls_total", { protocol, call, outcome });
  assert.deepEqual([calls("checkpoint", "ok"), calls("checkpoint", "error")], [5, 1]);
  assert.deepEqual([calls("healthCheck", "ok", "management"), calls("management", "ok")], [1, 1]);
  assert.equal(families.get("runtara_call_duration_seconds"), "histogram");
  assert.equal(value("runtara_call_duration_seconds_count", { call: "checkpoint" }), 6);
  assert.equal(value("runtara_call_duration_seconds_bucket", { call: "checkpoint", le: "+Inf" }), 6);
  assert.equal(value("runtara_ready"), 1);
  assert.equal(value("runtara_connections", { protocol: "instance" }), 1);
  assert.equal(value("runtara_connections", { protocol: "management" }), 1);
  assert.equal(value("runtara_waiting", { kind: "sleeps" }), 1);
  assert.ok((value("runtara_store_operations_total") ?? 0) >= 8);
  assert.equal(value("runtara_store_queued"), 0);
  assert.ok((value("process_resident_memory_bytes") ?? 0) > 1_000_000);
  assert.equal(value("runtara_faults_total", { protocol: "instance", kind: "handlerFailed" }), 0);
  const cut = assert.rejects(nap);
  await server.close();
  await cut;
});

test("while it drains it is not ready, and says so", async (t) => {
  const store = new FailingStore(openMemoryStore());
  const { server, instances, clients } = await startTestServer(t, { httpAddr: "127.0.0.1:0" }, store);
  await instances.registerInstance({ instanceId: "i", tenantId: "t" });
  store.hang();
  const saved = instances.checkpoint({ instanceId: "i", checkpointId: "c" });
  // The save has arrived once the server has refused something that came behind it.
  while ((await readCalls(server.httpAddress)) < 2) await clients[0]?.connect();
  const closed = server.close();
  const ready = await fetch(`http://${server.httpAddress}/readyz`);
  assert.deepEqual([ready.status, await ready.text()], [503, "draining\n"]);
  store.recover();
  assert.equal((await saved).found, false, "a call that had arrived is answered");
  await closed;
  await assert.rejects(fetch(`http://${server.httpAddress}/healthz`));
});

/** Calls of the instance port, those without an answer included. */
async function readCalls(address: string | undefined): Promise<number> {
  const { samples } = parseMetrics(await (await fetch(`http://${address}/metrics`)).text());
  const of = (name: string) =>
    samples
      .filter((sample) => sample.name === name && sample.labels.protocol === "instance")
      .reduce((sum, { value }) => sum + value, 0);
  return of("runtara_calls_total") + of("runtara_open_calls");
}
