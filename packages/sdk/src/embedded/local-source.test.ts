// Source and operator on core's services: what the runtime and the client count on, on a store in memory and on SQLite.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Batch, BatchAnswer, InstanceSession } from "../ports/source.ts";
import type { SourceError } from "../ports/source-error.ts";
import { bytes, engines, LocalWorker, storeOf, text } from "./local.test.helper.ts";

const save = (session: InstanceSession, batch: Partial<Batch>): Promise<BatchAnswer> =>
  new Promise((resolve, reject) => {
    session.save({ entries: [], messages: [], ...batch }, (error, answer) => {
      if (error === undefined) resolve(answer);
      else reject(error);
    });
  });
const failsWith = (code: SourceError["code"]) => (error: unknown) => {
  assert.equal((error as SourceError).code, code, String(error));
  return true;
};
const entry = (checkpointId: string, state: string) => ({ checkpointId, state: bytes(state) });
const end = new AbortController().signal;

for (const engine of engines) {
  test(`${engine}: claimed, saved, listed and completed`, async (t) => {
    const { source, operator, ...worker } = worked(new LocalWorker(t, await storeOf(t, engine)));
    await worker.start("i", { input: bytes("7") });
    const work = await worker.claimOne();
    assert.equal(work.instanceId, "i");
    assert.equal(work.facts.checkpointCount, 0);
    assert.equal(text(work.facts.input), "7");
    const session = source.session(work);
    const saved = save(session, { entries: [entry("a", "1"), entry("b", "2")] });
    source.flush();
    assert.deepEqual(await saved, { entries: [{ state: undefined }, { state: undefined }], signal: undefined });
    const again = await save(session, { entries: [entry("a", "other")] });
    assert.equal(text(again.entries[0]?.state), "1");
    const { checkpoints, nextCursor } = await session.list({});
    assert.deepEqual(
      checkpoints.map(({ checkpointId, state }) => [checkpointId, text(state)]),
      [
        ["a", "1"],
        ["b", "2"],
      ],
    );
    assert.equal(nextCursor, undefined);
    assert.deepEqual(
      (await session.list({ behind: "a" })).checkpoints.map(({ checkpointId }) => checkpointId),
      ["b"],
    );
    assert.equal(text(await session.find("b")), "2");
    assert.equal(await session.find("c"), undefined);
    await session.report({ is: "completed", output: bytes("42") });
    const result = await operator.waitResult("i", 1_000, end);
    assert.deepEqual([result.status, text(result.output)], ["completed", "42"]);
    const { firstStartedAtMs, seed } = work.facts;
    assert.deepEqual(await operator.readStart("i"), { tenantId: "t", input: work.facts.input, seed, firstStartedAtMs });
    assert.equal(await operator.readStart("unknown"), undefined);
    await assert.rejects(save(session, { entries: [entry("d", "4")] }), failsWith("ENDED"));
  });

  test(`${engine}: a start is idempotent; another one under its id says what differs`, async (t) => {
    const { operator, ...worker } = worked(new LocalWorker(t, await storeOf(t, engine)));
    const request = { instanceId: "i", workflow: "w", tags: {}, input: bytes("1") };
    assert.deepEqual(await operator.start(request), { created: true, status: "pending" });
    assert.deepEqual(await operator.start(request), { created: false, status: "pending" });
    await assert.rejects(operator.start({ ...request, workflow: "v", input: bytes("2") }), (error: SourceError) => {
      assert.equal(error.code, "CONFLICT");
      assert.deepEqual([...error.differs].sort(), ["input", "workflow"]);
      return true;
    });
    await worker.claimOne();
    assert.equal((await operator.read("i"))?.status, "running");
    assert.equal(await operator.read("unknown"), undefined);
  });

  test(`${engine}: I6: a signal waits in the store until an entry consumes it`, async (t) => {
    const { source, operator, ...worker } = worked(new LocalWorker(t, await storeOf(t, engine)));
    await worker.start("i");
    const work = await worker.claimOne();
    const session = source.session(work);
    const { epoch } = work.facts;
    const signal = { instanceId: "i", name: "go", payload: bytes("1"), messageId: "m" };
    const interest = { instanceId: "i", epoch, names: ["go"], afterSignalId: 0, ended: false };
    const poll = source.waitSignals({ revision: 1, interests: [interest], replacesAll: false, waitMs: 30_000 });
    await operator.sendSignal(signal);
    await operator.sendSignal(signal);
    const [arrived] = await poll.answer;
    assert.deepEqual(
      arrived?.queued.map(({ name, payload }) => [name, text(payload)]),
      [["go", "1"]],
    );
    const [queued] = arrived?.queued ?? [];
    await save(session, { entries: [{ ...entry("go!signal", "1"), consumesSignalId: queued?.signalId }] });
    assert.deepEqual(await session.suspendUntil({ names: ["go"], afterSignalId: 0 }), { suspended: true });
    assert.equal((await operator.read("i"))?.reason, "waiting");
    await operator.sendSignal({ ...signal, messageId: "n" });
    assert.equal((await worker.claimOne()).facts.epoch, epoch + 1);
    await assert.rejects(save(session, { entries: [entry("late", "1")] }), failsWith("FENCED"));
  });

  test(`${engine}: children end in their parent's queue, cancels come by the batch's answer`, async (t) => {
    const { source, operator, ...worker } = worked(new LocalWorker(t, await storeOf(t, engine)));
    await worker.start("i");
    const parent = await worker.claimOne();
    const session = source.session(parent);
    const child = { instanceId: "i.c", workflow: "w", tags: {}, resultSignal: "c!result", detached: false };
    assert.equal((await session.startChild(child)).created, true);
    assert.equal((await session.startChild(child)).created, false);
    const childWork = await worker.claimOne();
    assert.equal(childWork.facts.parentInstanceId, "i");
    const { epoch } = parent.facts;
    const interest = { instanceId: "i", epoch, names: ["c!result"], afterSignalId: 0, ended: false };
    const poll = source.waitSignals({ revision: 1, interests: [interest], replacesAll: false, waitMs: 30_000 });
    await source.session(childWork).report({ is: "completed", output: bytes("9") });
    const [told] = await poll.answer;
    assert.equal(told?.queued[0]?.name, "c!result");
    await operator.order("i", "cancel", "enough");
    const { signal } = await save(session, { entries: [entry("a", "1")] });
    assert.deepEqual([signal?.type, text(signal?.payload)], ["cancel", "enough"]);
    await session.report({ is: "cancelled" });
    assert.equal((await operator.waitResult("i", 1_000, end)).status, "cancelled");
  });

  test(`${engine}: retries, notes, published values, and suspensions that only an order ends`, async (t) => {
    const { source, operator, ...worker } = worked(new LocalWorker(t, await storeOf(t, engine)));
    await worker.start("i");
    const session = source.session(await worker.claimOne());
    await session.recordRetry({ checkpointId: "a", attempt: 2, nextAtMs: 5_000, error: "no" });
    await session.note("hello", bytes("1"));
    await save(session, {
      messages: [{ number: 1, content: { kind: "published", key: "k", value: bytes('"v"') } }],
    });
    assert.equal(text(await operator.published("i", "k")), '"v"');
    assert.equal(await operator.published("i", "none"), undefined);
    const { retries } = await session.list({});
    assert.deepEqual(
      retries.map(({ checkpointId, attempt, nextAtMs }) => [checkpointId, attempt, nextAtMs]),
      [["a", 2, 5_000]],
    );
    const { rows } = await operator.history("i", undefined);
    assert.ok(rows.some((row) => row.kind === "event" && row.subtype === "hello"));
    await operator.order("i", "pause");
    await session.report({ is: "paused" });
    assert.deepEqual(await stateOf(operator), ["suspended", "paused"]);
    await operator.order("i", "resume");
    const next = source.session(await worker.claimOne());
    await next.report({ is: "diverged", report: bytes("{}") });
    assert.deepEqual(await stateOf(operator), ["suspended", "diverged"]);
    await operator.order("i", "resume");
    const last = source.session(await worker.claimOne());
    await last.report({ is: "failed", error: "broken", failure: bytes('{"message":"broken"}') });
    const result = await operator.waitResult("i", 1_000, end);
    assert.deepEqual([result.status, result.error, text(result.failure)], ["failed", "broken", '{"message":"broken"}']);
  });

  test(`${engine}: I5: what is released comes to the next worker, and what a lease has lost is named`, async (t) => {
    const store = await storeOf(t, engine);
    const first = worked(new LocalWorker(t, store, "first", 1_000));
    await first.start("i");
    await first.start("j");
    const [one, two] = [await first.claimOne(), await first.claimOne()];
    const { instanceId, facts } = one;
    await first.source.release([{ instanceId, epoch: facts.epoch, handBack: true, delayMs: 0, reason: "drain" }]);
    const second = worked(new LocalWorker(t, store, "second", 5_000));
    assert.equal((await second.claimOne()).instanceId, instanceId);
    // Nobody renews for the first worker, so the other instance is taken over when its lease is over.
    assert.equal((await second.claimOne()).instanceId, two.instanceId);
    assert.deepEqual((await first.source.renew(1_000)).lost, [two.instanceId]);
  });

  test(`${engine}: schedules are put, listed and deleted; one that can't be read is refused`, async (t) => {
    const { operator } = worked(new LocalWorker(t, await storeOf(t, engine)));
    const schedule = {
      scheduleId: "nightly",
      workflow: "w",
      input: bytes("1"),
      cron: "0 3 * * *",
      timezone: "Europe/Berlin",
      overlap: "skip",
      catchUp: "last",
      inactive: false,
    } as const;
    await operator.putSchedule(schedule);
    await operator.putSchedule(schedule);
    const { rows } = await operator.listSchedules(undefined);
    assert.deepEqual(
      rows.map(({ scheduleId, cron, timezone, catchUp, input }) => [scheduleId, cron, timezone, catchUp, text(input)]),
      [["nightly", "0 3 * * *", "Europe/Berlin", "last", "1"]],
    );
    await assert.rejects(operator.putSchedule({ ...schedule, cron: "often" }), failsWith("REFUSED"));
    await operator.deleteSchedule("nightly");
    assert.deepEqual((await operator.listSchedules(undefined)).rows, []);
  });

  test(`${engine}: a closed source answers no poll and refuses new ones`, async (t) => {
    const { source } = worked(new LocalWorker(t, await storeOf(t, engine)));
    const claim = { offers: [{ name: "w", versions: [] }], capacity: 1, received: 0, waitMs: 30_000 };
    let answered = false;
    void source.claim(claim).answer.then(() => {
      answered = true;
    });
    await source.close();
    await assert.rejects(source.claim(claim).answer, failsWith("CLOSED"));
    assert.equal(answered, false);
  });
}

test("the source's clock never goes back", async (t) => {
  let nowMs = 10_000;
  const clock = { now: () => nowMs, after: () => () => {} };
  const { createCore } = await import("@runtara/core");
  const { LocalSource } = await import("./local-source.ts");
  const store = await storeOf(t, "memory");
  const core = createCore({ store, clock });
  t.after(() => core.close());
  const source = new LocalSource({ core, store, workerId: "w", tenantId: "t", leaseMs: 5_000 });
  const seen = [10_000, 9_000, 10_500].map((time) => {
    nowMs = time;
    return source.clock.now();
  });
  assert.deepEqual(seen, [10_000, 10_000, 10_500]);
});

async function stateOf(operator: LocalWorker["operator"]): Promise<readonly unknown[]> {
  const details = await operator.read("i");
  return [details?.status, details?.reason];
}

/** The parts of a worker that tests name. */
function worked(worker: LocalWorker) {
  return {
    source: worker.source,
    operator: worker.operator,
    start: (instanceId: string, more?: { input?: Uint8Array }) => worker.start(instanceId, "w", more),
    claimOne: () => worker.claimOne(),
  };
}
