import assert from "node:assert/strict";
import { test } from "node:test";
import { type InstanceClient, instance } from "@runtara/protocol";
import { bytes, full, onEachEngine, text } from "./wire.test.helper.ts";

const id = "i";
const { SIGNAL_CANCEL, SIGNAL_PAUSE } = instance.SignalType;
const { EVENT_COMPLETED, EVENT_CUSTOM } = instance.InstanceEventType;
const fenced = { code: "RPC", fineCode: "FENCED", isRetryable: false };
const own = { instanceId: id, tenantId: "t" };

/** Every write of an instance's process, by name, with this epoch or none. */
function writes(client: InstanceClient, epoch?: bigint): Readonly<Record<string, () => Promise<unknown>>> {
  const from = { instanceId: id, ...(epoch === undefined ? {} : { epoch }) };
  return {
    checkpoint: () => client.checkpoint({ ...from, checkpointId: "late" }),
    instanceEvent: () => client.instanceEvent({ ...from, eventType: EVENT_COMPLETED, payload: bytes("late") }),
    pollSignals: () => client.pollSignals({ ...from, checkpointId: "s" }),
  };
}

/** Those that only know the end of the stream. */
function silentWrites(client: InstanceClient, epoch?: bigint): Readonly<Record<string, () => Promise<unknown>>> {
  const from = { instanceId: id, ...(epoch === undefined ? {} : { epoch }) };
  return {
    retryAttempt: () => client.retryAttempt({ ...from, checkpointId: "late", attemptNumber: 1 }),
    signalAck: () => client.signalAck({ ...from, signalType: SIGNAL_PAUSE, acknowledged: true }),
    instanceEventBatch: () => client.instanceEventBatch({ events: [{ ...from, eventType: EVENT_CUSTOM }] }),
  };
}

/** Extensions always carry their epoch. */
function extensions(client: InstanceClient, epoch: bigint): Readonly<Record<string, () => Promise<unknown>>> {
  const from = { instanceId: id, epoch };
  return {
    checkpointBatch: () => client.checkpointBatch({ ...from, entries: [{ checkpointId: "late" }] }),
    publish: () => client.publish({ ...from, run: 1, messages: [] }),
    listOwnCheckpoints: () => client.listOwnCheckpoints(from),
    suspendUntil: () => client.suspendUntil(from),
    startChild: () => client.startChild({ ...from, child: { tenantId: "t", workflow: "w", instanceId: "child" } }),
  };
}

onEachEngine((open) => {
  test("I5: after a second registration every call with the first epoch is refused, and changes nothing", async (t) => {
    const { connect, operator } = await open(t);
    const first = connect();
    const { start } = await first.registerInstance({ ...own, ...full });
    assert.equal(start?.epoch, 1n);
    assert.equal((await connect().registerInstance({ ...own, ...full })).start?.epoch, 2n);
    await operator.sendSignal({ instanceId: id, signalType: SIGNAL_PAUSE });
    await operator.sendCustomSignal({ instanceId: id, checkpointId: "s", payload: bytes("kept") });
    const calls = { ...writes(first, 1n), ...silentWrites(first, 1n), ...extensions(first, 1n) };
    for (const [name, call] of Object.entries(calls)) await assert.rejects(call(), fenced, name);
    const seen = await first.pollSignals({ instanceId: id, checkpointId: "s", epoch: 2n });
    assert.equal(seen.signal?.signalType, SIGNAL_PAUSE);
    assert.equal(text(seen.customSignal?.payload), "kept");
    const { checkpoints, retries } = await first.listOwnCheckpoints({ instanceId: id, epoch: 2n });
    assert.deepEqual([checkpoints, retries], [[], []]);
    assert.equal((await operator.getInstanceStatus({ instanceId: "child" })).status, 0);
  });

  test("I5: calls without an epoch are held to the one that was registered on their connection", async (t) => {
    const { connect, operator, log } = await open(t);
    const old = connect();
    const oldOther = connect();
    await old.registerInstance(own);
    await old.checkpoint({ instanceId: id, checkpointId: "a" });
    await connect().registerInstance(own);
    await operator.sendSignal({ instanceId: id, signalType: SIGNAL_PAUSE });
    for (const [name, call] of Object.entries(writes(old))) await assert.rejects(call(), fenced, name);
    for (const call of Object.values(silentWrites(old))) await call();
    const warned = log.filter(({ message }) => message === "a call without an answer had no effect");
    assert.ok(warned.length >= 1 && warned.every(({ details }) => "code" in details && details.code === "FENCED"));
    // A connection that never registered is not fenced, and what the old one tried has had no effect.
    assert.equal((await oldOther.pollSignals({ instanceId: id })).signal?.signalType, SIGNAL_PAUSE);
    assert.equal((await oldOther.checkpoint({ instanceId: id, checkpointId: "late" })).found, false);
    assert.deepEqual((await old.listOwnCheckpoints({ instanceId: id, epoch: 2n })).retries, []);
    // Its own later registration makes it the owner again.
    await old.registerInstance(own);
    assert.equal((await old.checkpoint({ instanceId: id, checkpointId: "b" })).found, false);
  });

  test("I5: across two cores on one database, with an epoch and without", async (t) => {
    const { connect, startOther } = await open(t);
    const [here, there] = [connect(), connect(await startOther())];
    await here.registerInstance(own);
    await here.checkpoint({ instanceId: id, checkpointId: "a", state: bytes("1") });
    await there.registerInstance(own);
    const calls = { ...writes(here), ...extensions(here, 1n) };
    for (const [name, call] of Object.entries(calls)) await assert.rejects(call(), fenced, name);
    const { found, state } = await there.checkpoint({ instanceId: id, checkpointId: "a", state: bytes("2") });
    assert.deepEqual([found, text(state)], [true, "1"]);
  });

  test("I5: what was killed hears that it is fenced, not that it has ended", async (t) => {
    const { connect, operator } = await open(t);
    const client = connect();
    await client.registerInstance(own);
    await operator.killInstance({ tenantId: "t", instanceId: id });
    await assert.rejects(client.checkpoint({ instanceId: id, checkpointId: "a" }), fenced);
    const newcomer = connect().checkpoint({ instanceId: id, checkpointId: "a" });
    await assert.rejects(newcomer, { fineCode: "INVALID_INSTANCE_STATE" });
  });

  test("I5: a claim is a registration: it fences, and its connection is held to its epoch", async (t) => {
    const { connect } = await open(t);
    const worker = connect();
    await worker.registerInstance({ ...own, instanceId: "parent" });
    const child = { tenantId: "t", workflow: "w", instanceId: id };
    await worker.startChild({ instanceId: "parent", epoch: 1n, child });
    const offer = { tenantId: "t", workflows: [{ name: "w" }], capacity: 1 };
    const { work } = await worker.claimWork({ ...offer, workerId: "one" });
    assert.deepEqual(
      work.map(({ instanceId, start }) => [instanceId, start?.epoch]),
      [[id, 1n]],
    );
    await worker.checkpoint({ instanceId: id, checkpointId: "a" });
    await connect().registerInstance(own);
    await assert.rejects(worker.checkpoint({ instanceId: id, checkpointId: "b" }), fenced);
    const { lostInstanceIds } = await worker.renewLease({ workerId: "one" });
    assert.deepEqual(lostInstanceIds, [id]);
  });

  test("an epoch that was never given out is refused, too, however large", async (t) => {
    const { connect } = await open(t);
    const client = connect();
    await client.registerInstance(own);
    for (const epoch of [0n, 2n, 2n ** 53n, 2n ** 64n - 1n]) {
      await assert.rejects(client.checkpoint({ instanceId: id, checkpointId: "a", epoch }), fenced, String(epoch));
      await assert.rejects(client.publish({ instanceId: id, run: 1, epoch }), fenced, String(epoch));
    }
  });

  test("I4: acknowledging a cancel ends the instance; its connection needs no stamp any more", async (t) => {
    const { connect, operator } = await open(t);
    const client = connect();
    await client.registerInstance(own);
    await operator.cancelInstance({ tenantId: "t", instanceId: id, reason: "enough" });
    const { signal } = await client.pollSignals({ instanceId: id });
    assert.deepEqual([signal?.signalType, text(signal?.payload)], [SIGNAL_CANCEL, "enough"]);
    await client.signalAck({ instanceId: id, signalType: SIGNAL_CANCEL, acknowledged: true });
    assert.equal((await client.getInstanceStatus({ instanceId: id })).status, instance.InstanceStatus.STATUS_CANCELLED);
    await assert.rejects(client.checkpoint({ instanceId: id, checkpointId: "a" }), {
      fineCode: "INVALID_INSTANCE_STATE",
    });
  });
});
