import assert from "node:assert/strict";
import { test } from "node:test";
import { instance } from "@runtara/protocol";
import { bytes, full, onEachEngine, text } from "./wire.test.helper.ts";

const own = { instanceId: "i", tenantId: "t" };
const from = { instanceId: "i", epoch: 1n };
const { SIGNAL_PAUSE, SIGNAL_CANCEL } = instance.SignalType;
const invalid = { code: "RPC", fineCode: "VALIDATION_ERROR", isRetryable: false };
const unknownSignal = 9 as instance.SignalType;

onEachEngine((open) => {
  test("I6: an open poll is answered by a signal of either kind, which stays", async (t) => {
    const { connect, operator } = await open(t);
    const client = connect();
    await client.registerInstance(own);
    const interests = [{ ...from, names: ["go"] }];
    const waiting = client.waitSignals({ revision: 1n, interests });
    await operator.sendCustomSignal({ instanceId: "i", checkpointId: "go", payload: bytes("1"), queued: true });
    const [named] = (await waiting).instances;
    assert.deepEqual([named?.fenced, text(named?.queued[0]?.payload)], [false, "1"]);
    const afterSignalId = named?.queued[0]?.signalId ?? 0n;
    const next = client.waitSignals({ revision: 2n, interests: [{ ...from, names: ["go"], afterSignalId }] });
    await operator.sendSignal({ instanceId: "i", signalType: SIGNAL_PAUSE, payload: bytes("p") });
    const [whole] = (await next).instances;
    assert.deepEqual([whole?.signal?.signalType, text(whole?.signal?.payload)], [SIGNAL_PAUSE, "p"]);
    assert.equal((await client.pollSignals({ instanceId: "i", checkpointId: "go" })).customSignal?.payload.length, 1);
  });

  test("I5: an open poll tells that its instance has been taken over, also through another core", async (t) => {
    const { connect, startOther } = await open(t);
    const client = connect();
    await client.registerInstance(own);
    const waiting = client.waitSignals({ revision: 1n, interests: [from] });
    await client.getInstanceStatus(own);
    await connect(await startOther()).registerInstance(own);
    assert.deepEqual(
      (await waiting).instances.map(({ instanceId, fenced }) => [instanceId, fenced]),
      [["i", true]],
    );
  });

  test("a later poll of the connection takes over; what is no interest is refused", async (t) => {
    const { connect } = await open(t);
    const client = connect();
    await client.registerInstance(own);
    const first = client.waitSignals({ revision: 1n, interests: [from] });
    await client.getInstanceStatus(own);
    const second = client.waitSignals({ revision: 2n, interests: [], waitMs: 1 });
    assert.deepEqual((await first).instances, []);
    assert.deepEqual((await second).instances, []);
    const interests = {
      "instance_id is required": { instanceId: "" },
      "signal_names is required": { ...from, names: [""] },
      "must not contain U.0000": { ...from, names: ["a\0"] },
      "at most 1000 are allowed": { ...from, names: Array.from({ length: 1_001 }, (_, n) => String(n)) },
      "seen_signal must be CANCEL, PAUSE or RESUME": { ...from, seenSignal: unknownSignal },
    };
    for (const [reason, interest] of Object.entries(interests)) {
      const message = new RegExp(reason);
      await assert.rejects(client.waitSignals({ revision: 3n, interests: [interest] }), { ...invalid, message });
    }
  });

  test("I8: suspending is refused while there is something to do, else the instance waits for it", async (t) => {
    const { connect, operator } = await open(t);
    const client = connect();
    await client.registerInstance(own);
    await operator.sendCustomSignal({ instanceId: "i", checkpointId: "go", payload: bytes("1"), queued: true });
    const busy = await client.suspendUntil({ ...from, signalNames: ["go"] });
    assert.deepEqual([busy.suspended, text(busy.signals?.queued[0]?.payload)], [false, "1"]);
    const past = await client.suspendUntil({ ...from, untilMs: 1n });
    assert.deepEqual([past.suspended, past.signals], [false, undefined]);
    const afterSignalId = busy.signals?.queued[0]?.signalId ?? 0n;
    const wait = { ...from, signalNames: ["go"], afterSignalId, untilMs: BigInt(Date.now() + 3_600_000) };
    assert.equal((await client.suspendUntil(wait)).suspended, true);
    assert.equal((await client.suspendUntil(wait)).suspended, true, "repeated");
    const { details } = await operator.getInstanceStatus({ instanceId: "i" });
    assert.deepEqual([details?.reason, details?.waitingFor], ["waiting", ["go"]]);
    await assert.rejects(client.checkpoint({ ...from, checkpointId: "a" }), { fineCode: "INVALID_INSTANCE_STATE" });
  });

  test("a suspension that makes no sense is refused", async (t) => {
    const { connect } = await open(t);
    const client = connect();
    await client.registerInstance(own);
    const refusals = {
      "until_ms must lie between 0 and": { untilMs: -1n },
      "until_ms must lie between": { untilMs: 2n ** 63n - 1n },
      "recorded_signal must be": { recordedSignal: unknownSignal },
      "signal_names is required": { signalNames: [""] },
    };
    for (const [reason, suspension] of Object.entries(refusals)) {
      const message = new RegExp(reason);
      await assert.rejects(client.suspendUntil({ ...from, ...suspension }), { ...invalid, message });
    }
    const { EVENT_SUSPENDED } = instance.InstanceEventType;
    const odd = client.instanceEvent({ ...from, eventType: EVENT_SUSPENDED, reason: "tired" });
    await assert.rejects(odd, { ...invalid, message: /'tired' is none that this server knows/ });
    assert.equal((await client.getInstanceStatus(own)).status, instance.InstanceStatus.STATUS_RUNNING);
  });

  test("I8: a child's end comes back to its parent, wakes it, and a parent's end cancels attached children", async (t) => {
    const { connect } = await open(t);
    const client = connect();
    await client.registerInstance({ tenantId: "t", instanceId: "root" });
    const start = { instanceId: "root", epoch: 1n, resultSignal: "child!result" };
    const child = (instanceId: string) => ({ tenantId: "t", workflow: "w", instanceId });
    assert.equal((await client.startChild({ ...start, child: child("one") })).started?.created, true);
    assert.equal((await client.startChild({ ...start, child: child("one") })).started?.created, false);
    const other = client.startChild({ ...start, child: { ...child("one"), workflow: "x" } });
    await assert.rejects(other, { fineCode: "START_CONFLICT", message: /exists with another workflow/ });
    await assert.rejects(client.startChild({ ...start }), { ...invalid, message: /child is required/ });
    await client.startChild({ ...start, child: child("two") });
    const interests = [{ instanceId: "root", epoch: 1n, names: ["child!result"] }];
    const waiting = client.waitSignals({ revision: 1n, interests });
    const { work } = await client.claimWork({ workerId: "k", tenantId: "t", workflows: [{ name: "w" }], capacity: 9 });
    assert.deepEqual(work.map(({ instanceId, start: facts }) => [instanceId, facts?.parentInstanceId]).toSorted(), [
      ["one", "root"],
      ["two", "root"],
    ]);
    const { EVENT_COMPLETED } = instance.InstanceEventType;
    await client.instanceEvent({ instanceId: "one", eventType: EVENT_COMPLETED, payload: bytes('{"n":1.0}') });
    const [result] = (await waiting).instances[0]?.queued ?? [];
    assert.equal(text(result?.payload), '{"status":"completed","output":{"n":1.0}}');
    const orphan = client.waitSignals({
      revision: 2n,
      interests: [{ instanceId: "two", epoch: 1n }],
      replacesAll: true,
    });
    await client.instanceEvent({ instanceId: "root", eventType: EVENT_COMPLETED });
    assert.equal((await orphan).instances[0]?.signal?.signalType, SIGNAL_CANCEL);
  });

  test("I7: a lost claim answer loses nothing; handed back work goes to the next worker", async (t) => {
    const { connect, operator } = await open(t);
    const client = connect();
    await operator.startWorkflow({ tenantId: "t", workflow: "w", instanceId: "i", input: bytes("in") });
    const offer = { tenantId: "t", workflows: [{ name: "w" }], capacity: 5, leaseMs: 60_000 };
    const first = await client.claimWork({ ...offer, workerId: "one" });
    const again = await client.claimWork({ ...offer, workerId: "one" });
    for (const { work, sequence } of [first, again]) {
      const [only] = work;
      assert.deepEqual([work.length, only?.start?.epoch, text(only?.start?.input), sequence], [1, 1n, "in", 1n]);
    }
    const received = again.sequence;
    const empty = await client.claimWork({ ...offer, workerId: "one", received, waitMs: 1 });
    assert.deepEqual([empty.work, empty.features.includes("work-queue")], [[], true]);
    await client.releaseWork({
      workerId: "one",
      work: [{ instanceId: "i", epoch: 1n, handBack: true, reason: "drain" }],
    });
    const { work } = await connect().claimWork({ ...offer, workerId: "two" });
    assert.deepEqual(
      work.map(({ instanceId, start }) => [instanceId, start?.epoch]),
      [["i", 2n]],
    );
    await assert.rejects(client.checkpoint({ ...from, checkpointId: "late" }), { fineCode: "FENCED" });
  });

  test("start facts at the second registration: the first start and the seed stay", async (t) => {
    const { connect } = await open(t);
    const one = (await connect().registerInstance({ ...own, ...full })).start;
    const two = (await connect().registerInstance({ ...own, ...full })).start;
    assert.deepEqual([two?.seed, two?.startedAtMs], [one?.seed, one?.startedAtMs]);
    assert.ok((two?.serverTimeMs ?? 0n) >= (one?.serverTimeMs ?? 0n));
  });
});
