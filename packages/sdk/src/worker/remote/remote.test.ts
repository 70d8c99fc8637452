// Source, session and operator over the real protocol, against a core in this process.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decode } from "../../codec/index.ts";
import type { Batch, BatchAnswer, InstanceSession } from "../../ports/source.ts";
import { SourceError } from "../../ports/source-error.ts";
import { TestCore } from "../../testing/core-in-process.ts";
import { claimOne, connectRemote } from "../../testing/remote.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (state: Uint8Array | null | undefined): string | undefined =>
  state ? new TextDecoder().decode(state) : undefined;
const start = { workflow: "order", tags: {} };
const never = new AbortController().signal;

function save(session: InstanceSession, batch: Partial<Batch>): Promise<BatchAnswer> {
  return new Promise((resolve, reject) => {
    session.save({ entries: [], messages: [], ...batch }, (error, answer) =>
      error === undefined ? resolve(answer) : reject(error),
    );
  });
}

function failsWith(code: SourceError["code"]): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof SourceError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  };
}

test("a start is claimed with its facts; entries, retries and their listing; the end is told to a client", async (t) => {
  const core = await TestCore.start(t);
  const { source, operator } = await connectRemote(t, core.address);
  const request = { ...start, instanceId: "i", input: bytes('{"n":1}'), tags: { team: "a" } };
  assert.deepEqual(await operator.start(request), { created: true, status: "pending" });
  assert.deepEqual(await operator.start(request), { created: false, status: "pending" });
  const { work, session } = await claimOne(source, "order");
  const { facts } = work;
  assert.deepEqual(
    [work.instanceId, work.tenantId, facts.epoch, facts.checkpointCount, facts.run, text(facts.input), facts.workflow],
    ["i", "default", 1, 0, 1, '{"n":1}', "order"],
  );
  assert.equal(facts.seed.length, 16);
  assert.deepEqual(session.serves, {
    batches: true,
    suspendUntil: true,
    retryTimes: true,
    children: true,
    publish: true,
    signalQueue: true,
  });
  const entries = ["a", "b"].map((checkpointId) => ({ checkpointId, state: bytes(checkpointId) }));
  const messages = [
    { number: 1, content: { kind: "published", key: "k", value: bytes("1") } },
    { number: 2, content: { kind: "event", subtype: "note", payload: bytes("{}"), createdAtMs: 5 } },
  ] as const;
  const saved = await save(session, { entries, messages });
  assert.deepEqual(saved, { entries: [{ state: undefined }, { state: undefined }], signal: undefined });
  const again = await save(session, { entries, messages });
  assert.deepEqual(
    again.entries.map(({ state }) => text(state)),
    ["a", "b"],
  );
  await session.recordRetry({ checkpointId: "c", attempt: 2, nextAtMs: facts.firstStartedAtMs + 60_000, error: "E" });
  const page = await session.list({});
  assert.deepEqual(
    page.checkpoints.map(({ checkpointId, state }) => [checkpointId, text(state)]),
    [
      ["a", "a"],
      ["b", "b"],
    ],
  );
  assert.deepEqual(
    page.retries.map(({ checkpointId, attempt, nextAtMs }) => [checkpointId, attempt, nextAtMs]),
    [["c", 2, facts.firstStartedAtMs + 60_000]],
  );
  assert.deepEqual(
    (await session.list({ behind: "a" })).checkpoints.map(({ checkpointId }) => checkpointId),
    ["b"],
  );
  assert.equal(text(await session.find("b")), "b");
  assert.equal(await session.find("z"), undefined);

  assert.equal(text(await operator.published("i", "k")), "1");
  assert.equal(await operator.published("i", "other"), undefined);
  const waiting = operator.waitResult("i", 10_000, never);
  await session.report({ is: "completed", output: bytes('"done"') });
  const end = await waiting;
  assert.deepEqual([end.status, end.reason, decode(text(end.output) ?? "")], ["completed", null, "done"]);
  const details = await operator.read("i");
  assert.deepEqual([details?.status, details?.workflow, details?.tags], ["completed", "order", { team: "a" }]);
  assert.deepEqual(text((await operator.readStart("i"))?.input), '{"n":1}');
  const history = await operator.history("i", undefined);
  assert.deepEqual(
    history.rows.flatMap((row) => (row.kind === "checkpoint" ? [row.checkpointId] : [])),
    ["a", "b"],
  );
  assert.equal(text(await operator.loadState("i", "a")), "a");
  await assert.rejects(save(session, { entries: [{ checkpointId: "late", state: bytes("") }] }), failsWith("ENDED"));
});

test("failures have the words of the ports", async (t) => {
  const core = await TestCore.start(t);
  const { source, operator, link } = await connectRemote(t, core.address);
  await operator.start({ ...start, instanceId: "i", input: bytes("1") });
  await assert.rejects(operator.start({ ...start, instanceId: "i", input: bytes("2") }), (error) => {
    failsWith("CONFLICT")(error);
    assert.deepEqual((error as SourceError).differs, ["input"]);
    return true;
  });
  await assert.rejects(operator.start({ ...start, instanceId: "" }), failsWith("REFUSED"));
  await assert.rejects(operator.order("nobody", "cancel"), failsWith("UNKNOWN"));
  await assert.rejects(operator.waitResult("nobody", 10, never), failsWith("UNKNOWN"));
  const signal = { name: "go", payload: bytes("1"), messageId: "m" };
  await assert.rejects(operator.sendSignal({ ...signal, instanceId: "nobody" }), failsWith("UNKNOWN"));
  assert.equal(await operator.read("nobody"), undefined);
  assert.equal(await operator.readStart("nobody"), undefined);

  const { session } = await claimOne(source, "order");
  await operator.order("i", "kill", "enough");
  await assert.rejects(session.note("late", bytes("")), failsWith("FENCED"));
  const end = await operator.waitResult("i", 1_000, never);
  assert.deepEqual([end.status, end.reason], ["cancelled", "killed"]);
  await assert.rejects(operator.sendSignal({ ...signal, instanceId: "i" }), failsWith("ENDED"));

  await link.close();
  await assert.rejects(operator.read("i"), failsWith("CLOSED"));
  await assert.rejects(source.renew(5_000), failsWith("CLOSED"));
});

test("I6: signals queue up, wake a wait and a suspended instance, and are consumed with an entry", async (t) => {
  const core = await TestCore.start(t);
  const { source, operator } = await connectRemote(t, core.address);
  await operator.start({ ...start, instanceId: "i" });
  const { work, session, sequence } = await claimOne(source, "order");
  const interest = { instanceId: "i", epoch: work.facts.epoch, names: ["go"], afterSignalId: 0, ended: false };
  const poll = source.waitSignals({ revision: 1, interests: [interest], replacesAll: true, waitMs: 10_000 });
  const send = (messageId: string) =>
    operator.sendSignal({ instanceId: "i", name: "go", payload: bytes(messageId), messageId });
  await send("1");
  const [arrived] = await poll.answer;
  assert.deepEqual(
    arrived?.queued.map(({ name, payload }) => [name, text(payload)]),
    [["go", "1"]],
  );
  await send("1");
  await send("2");
  const notYet = await session.suspendUntil({ names: ["go"], afterSignalId: 0 });
  assert.ok(!notYet.suspended);
  assert.deepEqual(
    notYet.queued.map(({ payload }) => text(payload)),
    ["1", "2"],
    "counted once for each message id",
  );
  const [first, second] = notYet.queued.map(({ signalId }) => signalId);
  const entry = (checkpointId: string, consumesSignalId: number | undefined) => ({
    checkpointId,
    state: bytes(checkpointId),
    consumesSignalId,
  });
  await save(session, { entries: [entry("go!signal", first), entry("go!signal~2", second)] });
  assert.deepEqual(await session.suspendUntil({ names: ["go"], afterSignalId: 0 }), { suspended: true });
  const released = { instanceId: "i", epoch: work.facts.epoch, handBack: false, delayMs: 0, reason: "" };
  await source.release([released]);
  const details = await operator.read("i");
  assert.deepEqual([details?.status, details?.reason, details?.waitingFor], ["suspended", "waiting", ["go"]]);
  const offers = [{ name: "order", versions: [] }];
  const claim = source.claim({ offers, capacity: 1, received: sequence, waitMs: 10_000 });
  await send("3");
  const [woken] = (await claim.answer).work;
  assert.deepEqual([woken?.instanceId, woken?.facts.epoch, woken?.facts.checkpointCount], ["i", 2, 2]);
  await assert.rejects(session.note("old", bytes("")), failsWith("FENCED"));
});

test("a cancel comes with batches, is acknowledged, and ends the instance; a child's end comes as a signal", async (t) => {
  const core = await TestCore.start(t);
  const { source, operator } = await connectRemote(t, core.address);
  await operator.start({ ...start, instanceId: "parent" });
  const { work, session, sequence } = await claimOne(source, "order");
  const child = { instanceId: "kid", workflow: "ship", tags: {}, resultSignal: "kid!result", detached: false };
  assert.deepEqual(await session.startChild(child), { created: true });
  assert.deepEqual(await session.startChild(child), { created: false });
  const kid = await claimOne(source, "ship", sequence);
  assert.equal(kid.work.facts.parentInstanceId, "parent");
  await kid.session.report({ is: "failed", error: "E: no", failure: bytes('{"name":"E"}') });
  const interest = {
    instanceId: "parent",
    epoch: work.facts.epoch,
    names: ["kid!result"],
    afterSignalId: 0,
    ended: false,
  };
  const poll = source.waitSignals({ revision: 1, interests: [interest], replacesAll: true, waitMs: 10_000 });
  const [arrived] = await poll.answer;
  assert.match(text(arrived?.queued[0]?.payload) ?? "", /"status":"failed".*"error":"E: no"/);
  await operator.order("parent", "cancel", "enough");
  const { signal } = await save(session, { entries: [{ checkpointId: "a", state: bytes("a") }] });
  assert.deepEqual([signal?.type, text(signal?.payload)], ["cancel", "enough"]);
  await session.report({ is: "cancelled" });
  assert.equal((await operator.waitResult("parent", 1_000, never)).status, "cancelled");
});

test("a poll that is given up settles nothing; a handed back instance goes to the next worker at once", async (t) => {
  const core = await TestCore.start(t);
  const { source, operator } = await connectRemote(t, core.address);
  const other = (await connectRemote(t, core.address, { workerId: "other" })).source;
  const offers = [{ name: "order", versions: [] }];
  const poll = source.claim({ offers, capacity: 1, received: 0, waitMs: 10_000 });
  const settled: unknown[] = [];
  poll.answer.then(
    (answer) => settled.push(answer),
    (error: unknown) => settled.push(error),
  );
  poll.abandon();
  await operator.start({ ...start, instanceId: "i" });
  const { work } = await claimOne(source, "order");
  const theirs = other.claim({ offers, capacity: 1, received: 0, waitMs: 10_000 });
  const { epoch } = work.facts;
  await source.release([{ instanceId: "i", epoch, handBack: true, delayMs: 0, reason: "drain" }]);
  assert.deepEqual(
    (await theirs.answer).work.map(({ instanceId, facts }) => [instanceId, facts.epoch]),
    [["i", 2]],
  );
  assert.deepEqual(settled, []);
  assert.deepEqual(await other.renew(5_000), { lost: [] });
  assert.ok(Math.abs(other.clock.now() - Date.now()) < 1_000);
});
