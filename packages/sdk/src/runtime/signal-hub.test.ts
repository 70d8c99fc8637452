import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../limits.ts";
import type { InstanceSignals } from "../ports/source.ts";
import { Persistence } from "./persistence.ts";
import { type Addressee, SignalHub } from "./signal-hub.ts";
import { ScriptedSource } from "./testing/scripted-source.ts";
import { away, bytes, HandRounds, settle, silentLogger, TestClock } from "./testing/setup.ts";

function setUp() {
  const clock = new TestClock();
  const source = new ScriptedSource(clock);
  const rounds = new HandRounds();
  const hub = new SignalHub(source, rounds, new Persistence(clock, silentLogger));
  const instance = (instanceId: string): Addressee & { got: InstanceSignals[] } => {
    const got: InstanceSignals[] = [];
    const addressee = { instanceId, epoch: 1, got, onSignals: (signals: InstanceSignals) => void got.push(signals) };
    hub.enter(addressee);
    return addressee;
  };
  const last = () => source.polls.at(-1)?.request;
  return { clock, source, rounds, hub, instance, last };
}

const queued = (instanceId: string, name: string): InstanceSignals => ({
  instanceId,
  fenced: false,
  signal: undefined,
  queued: [{ signalId: 1, name, payload: bytes("1"), createdAtMs: 0 }],
});

test("an instance that waits for nothing and is over soon is never asked about", async () => {
  const { clock, source, rounds, hub, instance } = setUp();
  const quick = instance("quick");
  rounds.end();
  await clock.pass(limits.quickInstanceMs - 1);
  hub.leave(quick);
  await clock.pass(limits.quickInstanceMs);
  rounds.end();
  assert.equal(source.polls.length, 0);
});

test("one that lives longer is listened to for cancel and pause", async () => {
  const { clock, rounds, instance, last } = setUp();
  instance("a");
  await clock.pass(limits.quickInstanceMs);
  rounds.end();
  assert.deepEqual(last()?.interests, [{ instanceId: "a", epoch: 1, names: [], afterSignalId: 0, ended: false }]);
});

test("what changes in one round travels in one poll, later changes alone in the next", () => {
  const { source, rounds, hub, instance, last } = setUp();
  const [a, b] = [instance("a"), instance("b")];
  hub.want(a, ["x"]);
  hub.want(b, ["y"]);
  hub.want(a, ["x", "z"]);
  rounds.end();
  assert.equal(source.polls.length, 1);
  assert.deepEqual(
    last()?.interests.map(({ instanceId, names }) => [instanceId, names]),
    [
      ["a", ["x", "z"]],
      ["b", ["y"]],
    ],
  );
  hub.want(b, []);
  rounds.end();
  assert.deepEqual(
    last()?.interests.map(({ instanceId, names }) => [instanceId, names]),
    [["b", []]],
  );
  assert.ok(!last()?.replacesAll);
  assert.ok((source.polls[1]?.request.revision ?? 0) > (source.polls[0]?.request.revision ?? 0));
});

test("an answer reaches its instance, and the next poll follows with what has changed by it", async () => {
  const { source, rounds, hub, instance, last } = setUp();
  const a = instance("a");
  hub.want(a, ["x"]);
  rounds.end();
  source.polls[0]?.answer([queued("a", "x"), queued("stranger", "x")]);
  await settle();
  assert.equal(a.got.length, 1);
  hub.want(a, []);
  rounds.end();
  assert.equal(source.polls.length, 2);
  assert.deepEqual(last()?.interests[0]?.names, []);
});

test("a signal that was seen is not told again; one that leaves is forgotten", () => {
  const { rounds, hub, instance, last } = setUp();
  const [a, b] = [instance("a"), instance("b")];
  hub.want(a, ["x"]);
  hub.want(b, ["x"]);
  rounds.end();
  hub.seen(a, "cancel");
  hub.leave(b);
  rounds.end();
  assert.deepEqual(last()?.interests, [
    { instanceId: "a", epoch: 1, names: ["x"], afterSignalId: 0, seenSignal: "cancel", ended: false },
    { instanceId: "b", epoch: 0, names: [], afterSignalId: 0, ended: true },
  ]);
});

test("nobody left: the poll is given up, and the next one begins anew", () => {
  const { source, rounds, hub, instance, last } = setUp();
  const a = instance("a");
  hub.want(a, ["x"]);
  rounds.end();
  hub.leave(a);
  rounds.end();
  assert.ok(source.polls[0]?.isAbandoned);
  hub.want(instance("b"), ["y"]);
  rounds.end();
  assert.ok(last()?.replacesAll);
  assert.deepEqual(
    last()?.interests.map(({ instanceId }) => instanceId),
    ["b"],
  );
});

test("after a reconnection, and after trouble, everything is said anew", async () => {
  const { clock, source, rounds, hub, instance, last } = setUp();
  for (const id of ["a", "b"]) hub.want(instance(id), ["x"]);
  rounds.end();
  hub.beginAnew();
  rounds.end();
  assert.deepEqual([last()?.replacesAll, last()?.interests.length], [true, 2]);
  source.polls[0]?.fail(away("the old connection"));
  await settle();
  rounds.end();
  assert.equal(source.polls.length, 2);
  source.polls[1]?.fail(away());
  await settle();
  rounds.end();
  assert.equal(source.polls.length, 2, "not at once");
  await clock.pass(1_000);
  rounds.end();
  assert.deepEqual([source.polls.length, last()?.replacesAll, last()?.interests.length], [3, true, 2]);
});
