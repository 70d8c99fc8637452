import assert from "node:assert/strict";
import { test } from "node:test";
import { openMemoryStore } from "@runtara/store/memory";
import { startTestServer } from "./server.test.helper.ts";

test("the end of a server ends every open poll and sleep at once, and nothing is left behind", async (t) => {
  const store = openMemoryStore();
  const { server, instances, operators, clients } = await startTestServer(t, {}, store);
  await instances.registerInstance({ instanceId: "i", tenantId: "t" });
  const waitMs = 300_000;
  const { start } = await instances.registerInstance({ instanceId: "s", tenantId: "t", wantsStartFacts: true });
  const interests = [{ instanceId: "s", epoch: start?.epoch ?? 0n, names: ["n"] }];
  const open = [
    instances.sleep({ instanceId: "i", checkpointId: "nap", durationMs: 3_600_000n }),
    instances.claimWork({ workerId: "w", tenantId: "t", workflows: [{ name: "w" }], capacity: 1, waitMs }),
    instances.waitSignals({ revision: 1n, interests, replacesAll: true, waitMs }),
    ...Object.values(operators).map((operator) => operator.waitResult({ instanceId: "i", waitMs })),
    ...Object.values(operators).map(async (operator) => {
      const { nextCursor } = await operator.watchInstance({ instanceId: "i" });
      return operator.watchInstance({ instanceId: "i", cursor: nextCursor, waitMs });
    }),
    ...Object.values(operators).map(async (operator) => {
      const { nextCursor } = await operator.watchInstances({ tenantId: "nobody" });
      return operator.watchInstances({ tenantId: "nobody", cursor: nextCursor, waitMs });
    }),
  ];
  const ended = Promise.allSettled(open);
  // All of them are under way once calls behind them have been answered.
  for (let n = 0; n < 10; n += 1) {
    await instances.getInstanceStatus({ instanceId: "i" });
    await operators.admin.getInstanceStatus({ instanceId: "i" });
  }
  const connections = await Promise.all(clients.map((client) => client.connect()));
  const startedMs = performance.now();
  await server.close();
  assert.ok(performance.now() - startedMs < 4_000, "the drain waited for what waits on purpose");
  const ends = await ended;
  for (const [place, end] of ends.entries()) {
    if (end.status === "fulfilled") continue;
    const { code, fineCode } = end.reason as { code: string; fineCode?: string };
    assert.ok(code === "RPC" && fineCode === "DRAINING", `${place}: ${code} ${fineCode}`);
  }
  assert.equal(ends[1]?.status, "fulfilled", "a claim is answered empty");
  assert.equal(ends[2]?.status, "fulfilled", "a wait for signals is answered empty");
  for (const { closed } of connections) {
    const { code, reason } = await closed;
    assert.deepEqual([code, reason], [0n, "server closing"]);
  }
  // The store was given, so it is open, and the sleep's record is kept.
  const read = await store.run({ kind: "readInstance", instanceId: "i" });
  assert.ok(read.outcome === "found" && read.instance.status === "running");
});

test("closing twice is closing once", async (t) => {
  const { server } = await startTestServer(t);
  assert.equal(server.close(), server.close());
});

test("a sleep of a client of 1.4.1 ends with the network, not with an error that it would take for good", async (t) => {
  const store = openMemoryStore();
  const { server, instances } = await startTestServer(t, {}, store);
  await instances.registerInstance({ instanceId: "old", tenantId: "t" });
  const ended = assert.rejects(
    instances.sleep({ instanceId: "old", checkpointId: "nap", durationMs: 3_600_000n }),
    ({ code }: { code?: string }) => code === "STREAM_RESET" || code === "CONNECTION_CLOSED",
  );
  // The sleep is under way once calls behind it have been answered.
  for (let n = 0; n < 10; n += 1) await instances.getInstanceStatus({ instanceId: "old" });
  await server.close();
  await ended;
  const read = await store.run({ kind: "readInstance", instanceId: "old" });
  assert.equal(read.outcome === "found" && read.instance.status, "running");
});
