import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { limits } from "../limits.ts";
import type { Batch, PendingSignal } from "../ports/source.ts";
import { SourceError } from "../ports/source-error.ts";
import type { OutgoingEntry } from "../run/entries.ts";
import { seedOfRun } from "../testing/rng.ts";
import type { Codec } from "../values/codec-port.ts";
import { createSealer } from "../values/sealer.ts";
import { createWrapper } from "../values/wrapper.ts";
import { ListedHistory } from "./listed-history.ts";
import { Persistence } from "./persistence.ts";
import { noFacts, ScriptedSession, workOf } from "./testing/scripted-source.ts";
import { away, bytes, HandRounds, recordingLogger, settle, TestClock, textOf } from "./testing/setup.ts";

function setUp(codecs: readonly Codec[] = []) {
  const session = new ScriptedSession(workOf("i"));
  const clock = new TestClock();
  const rounds = new HandRounds();
  const { logger, lines } = recordingLogger();
  const sealer = createSealer(codecs);
  const told: string[] = [];
  const signals: PendingSignal[] = [];
  const asker = { isGone: false };
  const history = new ListedHistory({
    session,
    asker,
    rounds,
    sealer,
    persistence: new Persistence(clock, logger),
    wrapper: createWrapper(sealer),
    onSignal: (signal) => signals.push(signal),
    onBroken: (error) => told.push(`broken ${error.name}`),
    onSaved: () => told.push("all saved"),
  });
  const listener = {
    saved: ({ id }: OutgoingEntry) => told.push(`saved ${id}`),
    refused: ({ id }: OutgoingEntry, error: Error) => told.push(`refused ${id}: ${error.name}`),
  };
  let seq = 0;
  const save = (id: string, more: Partial<OutgoingEntry> = {}): void => {
    const head = { seq: ++seq, at: noFacts.firstStartedAtMs, kind: "step" } as const;
    history.save({ id, head, outcome: "value", payload: `"${id}"`, ...more }, listener);
  };
  return { session, clock, rounds, lines, told, signals, asker, history, save };
}

const idsOf = (batch: Batch | undefined): string[] => batch?.entries.map(({ checkpointId }) => checkpointId) ?? [];

test("what one round gives goes out as one batch, the next while it is under way as the next", () => {
  const { session, rounds, save, told } = setUp();
  save("a");
  save("b");
  assert.equal(session.saves.length, 0);
  rounds.end();
  save("c");
  rounds.end();
  assert.deepEqual(
    session.saves.map(({ batch }) => idsOf(batch)),
    [["a", "b"]],
  );
  session.saved();
  assert.deepEqual(told, ["saved a", "saved b"]);
  rounds.end();
  assert.deepEqual(idsOf(session.saves[1]?.batch), ["c"]);
  session.saved();
  assert.deepEqual(told, ["saved a", "saved b", "saved c", "all saved"]);
});

test("a state is the entry's envelope", () => {
  const { session, rounds, save } = setUp();
  save("a", { payload: '{"n":1}', consumesSignalId: 7 });
  save("b", { outcome: "error", payload: '{"$rt:Error":{}}' });
  rounds.end();
  const [a, b] = session.saves[0]?.batch.entries ?? [];
  const at = noFacts.firstStartedAtMs;
  assert.equal(textOf(a?.state), `{"$rt":1,"seq":1,"at":${at},"value":{"n":1}}`);
  assert.equal(a?.consumesSignalId, 7);
  assert.equal(textOf(b?.state), `{"$rt":1,"seq":2,"at":${at},"error":{"$rt:Error":{}}}`);
});

test("I2: an entry that is found with our bytes was saved by a first try", () => {
  const { session, rounds, save, told } = setUp();
  save("a");
  rounds.end();
  const [first] = session.saves;
  first?.done(undefined, { entries: [{ state: first.batch.entries[0]?.state }], signal: undefined });
  assert.deepEqual(told, ["saved a", "all saved"]);
});

test("I2: other bytes under the id belong to another process: nothing more is written", () => {
  const { session, rounds, save, told } = setUp();
  save("a");
  save("b");
  rounds.end();
  save("c");
  session.saves[0]?.done(undefined, { entries: [{ state: undefined }, { state: bytes("other") }], signal: undefined });
  save("d");
  rounds.end();
  assert.deepEqual(told, ["saved a", "refused b: FencedError", "broken FencedError"]);
  assert.equal(session.saves.length, 1);
});

test("I5: fenced in the middle of a run, all that waits is refused and nothing more is written", () => {
  const { session, rounds, save, told } = setUp();
  save("a");
  rounds.end();
  save("b");
  session.saves[0]?.done(new SourceError("FENCED", "epoch 2, not 1"), undefined);
  rounds.end();
  assert.deepEqual(told, ["refused a: FencedError", "refused b: FencedError", "broken FencedError"]);
  assert.equal(session.saves.length, 1);
});

test("a batch whose answer is lost is repeated with the same bytes until it is taken", async () => {
  const { session, rounds, save, clock, told, lines } = setUp();
  save("a");
  save("b");
  rounds.end();
  for (let attempt = 0; attempt < 5; attempt++) {
    session.saves.at(-1)?.done(away(), undefined);
    save(`late${attempt}`);
    rounds.end();
    await clock.pass(10_000);
  }
  assert.equal(session.saves.length, 6);
  for (const { batch } of session.saves) assert.deepEqual(batch, session.saves[0]?.batch);
  session.saved();
  rounds.end();
  assert.deepEqual(told, ["saved a", "saved b"]);
  assert.deepEqual(idsOf(session.saves.at(-1)?.batch), ["late0", "late1", "late2", "late3", "late4"]);
  assert.equal(lines.length, 2, "trouble is told when it begins and when it is over");
});

test("what is refused for good is repeated by nobody", () => {
  const { session, rounds, save, told } = setUp();
  save("a");
  rounds.end();
  session.saves[0]?.done(new SourceError("REFUSED", "state has 99 bytes; at most 9 are allowed"), undefined);
  assert.deepEqual(told, ["refused a: FatalError", "broken FatalError"]);
});

test("messages go out between the entries, in order and wrapped", () => {
  const { session, rounds, save, history } = setUp();
  history.send({ number: 1, content: { kind: "published", key: "k", text: "1" } });
  save("a");
  history.send({ number: 2, content: { kind: "event", subtype: "s", text: "[2]", at: 5 } });
  rounds.end();
  const { batch } = session.saves[0] ?? {};
  assert.deepEqual(
    batch?.messages.map(({ number, content }) => [
      number,
      content.kind === "published" ? content.key : content.subtype,
      textOf(content.kind === "published" ? content.value : content.payload),
    ]),
    [
      [1, "k", "1"],
      [2, "s", "[2]"],
    ],
  );
  assert.equal(history.isIdle, false);
  session.saved();
  assert.equal(history.isIdle, true);
});

test("the entry that begins the next run is the last of its batch", () => {
  const { session, rounds, save } = setUp();
  save("a");
  save("!next", { beginsRun: 2 });
  save("b");
  rounds.end();
  assert.deepEqual([idsOf(session.saves[0]?.batch), session.saves[0]?.batch.beginsRun], [["a", "!next"], 2]);
});

test("a batch has bounds, and what is beyond them comes next", () => {
  const { session, rounds, save } = setUp();
  for (let n = 0; n <= limits.batchEntriesMax; n++) save(`e${n}`);
  rounds.end();
  assert.equal(session.saves[0]?.batch.entries.length, limits.batchEntriesMax);
  session.saved();
  rounds.end();
  assert.deepEqual(idsOf(session.saves[1]?.batch), [`e${limits.batchEntriesMax}`]);
});

test("large entries fill a batch", () => {
  const { session, rounds, save } = setUp();
  const large = JSON.stringify("x".repeat(limits.batchBytesFull / 2));
  for (const id of ["a", "b", "c"]) save(id, { payload: large });
  rounds.end();
  assert.deepEqual(idsOf(session.saves[0]?.batch), ["a", "b"]);
});

test("a slow codec keeps the order, whatever the order in which it ends", async () => {
  const seed = seedOfRun();
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), async (order) => {
      const waiting: (() => void)[] = [];
      const codec: Codec = {
        name: "slow",
        encode: (plain) => new Promise((resolve) => waiting.push(() => resolve(plain.map((byte) => byte ^ 1)))),
        decode: (coded) => coded.map((byte) => byte ^ 1),
      };
      const { session, rounds, save, told, history } = setUp([codec]);
      const ids = ["a", "b", "c", "d", "e"];
      for (const id of ids) save(id);
      // Has nothing to encode, and still waits for those before it.
      save("f", { payload: undefined });
      for (const index of order) {
        waiting[index]?.();
        await settle(2);
        rounds.end();
        if (session.saves.length > 0 && !history.isIdle) session.saved();
        rounds.end();
      }
      while (!history.isIdle) {
        rounds.end();
        session.saved();
      }
      assert.deepEqual(
        told.filter((line) => line !== "all saved"),
        [...ids, "f"].map((id) => `saved ${id}`),
      );
      const texts = session.saves.flatMap(({ batch }) => batch.entries.map(({ state }) => textOf(state)));
      assert.ok(texts.every((text) => text.includes('"enc":"slow"') !== text.includes('"seq":6')));
      assert.ok(!texts.some((text) => text.includes('"value"')));
    }),
    { seed, numRuns: 25 },
  );
});

test("a codec that fails is asked again, and nothing is lost meanwhile", async () => {
  let failures = 2;
  const codec: Codec = {
    name: "moody",
    encode: (plain) => {
      if (failures-- > 0) throw new Error("the key service is down");
      return plain.slice();
    },
    decode: (coded) => coded,
  };
  const { session, rounds, save, clock, told } = setUp([codec]);
  save("a");
  rounds.end();
  assert.equal(session.saves.length, 0);
  await clock.pass(10_000);
  rounds.end();
  session.saved();
  assert.deepEqual(told, ["saved a", "all saved"]);
});

test("the signal that a batch's answer has is passed on", () => {
  const { session, rounds, save, signals } = setUp();
  save("a");
  rounds.end();
  session.saved({ type: "cancel", payload: bytes("why") });
  assert.deepEqual(signals, [{ type: "cancel", payload: bytes("why") }]);
});

test("a retry is recorded before the wait, and again after trouble", async () => {
  const { session, history, clock } = setUp();
  const record = { checkpointId: "a", attempt: 2, nextAtMs: 5, error: "no" };
  const recorded = history.recordRetry(record);
  session.retries[0]?.fail(away());
  await settle();
  await clock.pass(1_000);
  assert.equal(history.isIdle, false);
  session.retries[1]?.answer();
  await recorded;
  assert.deepEqual(
    session.retries.map(({ request }) => request),
    [record, record],
  );
  assert.equal(history.isIdle, true);
});

test("a child's start says what it conflicts with, and its input is bound to the child", async () => {
  const { session, history } = setUp();
  const child = {
    instanceId: "i.c",
    workflow: "w",
    version: undefined,
    inputText: "1",
    resultSignal: "c!result",
    detached: false,
  };
  const started = history.startChild(child);
  await settle();
  session.children[0]?.fail(new SourceError("CONFLICT", "exists", { differs: ["workflow", "input"] }));
  await assert.rejects(started, { name: "StartConflictError", message: /another workflow, input/ });
  assert.equal(textOf(session.children[0]?.request.input), "1");
});

test("once closed it calls nothing back and writes nothing", async () => {
  const { session, rounds, save, told, history, clock } = setUp();
  save("a");
  rounds.end();
  session.saves[0]?.done(away(), undefined);
  history.close();
  await clock.pass(10_000);
  save("b");
  rounds.end();
  assert.deepEqual([session.saves.length, told], [1, []]);
});
