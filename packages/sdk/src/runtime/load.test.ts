import assert from "node:assert/strict";
import { test } from "node:test";
import { ValidationError } from "../errors.ts";
import type { OwnPage, StartFacts } from "../ports/source.ts";
import type { StoredEntry } from "../run/entries.ts";
import { writeEnvelope } from "../run/envelope.ts";
import type { StandardSchemaV1 } from "../schema.ts";
import type { Codec } from "../values/codec-port.ts";
import { createSealer } from "../values/sealer.ts";
import { createWrapper } from "../values/wrapper.ts";
import type { WorkflowDefinition } from "../workflow.ts";
import { type Loaded, type LoadRequest, loadInstance, loadNext } from "./load.ts";
import { Persistence } from "./persistence.ts";
import { noFacts, ScriptedSession, workOf } from "./testing/scripted-source.ts";
import { bytes, HandRounds, settle, silentLogger, TestClock, textOf } from "./testing/setup.ts";

const at = noFacts.firstStartedAtMs;

function setUp(facts: Partial<StartFacts>, schema?: StandardSchemaV1, codecs: readonly Codec[] = []) {
  const session = new ScriptedSession(workOf("i", facts));
  const rounds = new HandRounds();
  const sealer = createSealer(codecs);
  const definition: WorkflowDefinition = {
    name: "w",
    version: undefined,
    accepts: [],
    body: () => undefined,
    schema,
    signals: {},
    published: {},
    step: {},
  };
  const request: LoadRequest = {
    definition,
    sparse: undefined,
    parts: {
      session,
      rounds,
      sealer,
      asker: { isGone: false },
      persistence: new Persistence(new TestClock(), silentLogger),
      wrapper: createWrapper(sealer),
      onSignal: () => {},
      onBroken: () => {},
      onSaved: () => {},
    },
  };
  return { session, rounds, request };
}

function entry(id: string, seq: number, value: string, out?: number): OwnPage["checkpoints"][number] {
  const state = bytes(writeEnvelope({ seq, at, kind: "step", out }, "value", value));
  return { checkpointId: id, state, stateBytes: state.byteLength, createdAtMs: at };
}

function page(checkpoints: OwnPage["checkpoints"], more: Partial<OwnPage> = {}): OwnPage {
  return { checkpoints, retries: [], nextCursor: undefined, ...more };
}

function runOf(loaded: Loaded): Extract<Loaded, { readonly is: "run" }> {
  assert.equal(loaded.is, "run");
  return loaded as Extract<Loaded, { readonly is: "run" }>;
}

async function replayed(loaded: Loaded): Promise<readonly StoredEntry[]> {
  const { replay } = runOf(loaded).history;
  const entries: StoredEntry[] = [];
  for (let next = await replay?.peek([]); next; next = await replay?.peek([])) {
    entries.push(next);
    replay?.take();
  }
  return entries;
}

test("a fresh instance is not read at all, and nothing is written", async () => {
  const { session, rounds, request } = setUp({ input: bytes('{"n":1}') });
  const { history, facts, input, inbox } = runOf(await loadInstance(request));
  assert.deepEqual([input, inbox, history.replay], [{ n: 1 }, [], undefined]);
  assert.deepEqual([facts.startedAt, facts.run, facts.seed], [at, 1, "0".repeat(32)]);
  assert.deepEqual([session.listed, session.found, session.saves, rounds.dirty], [[], [], [], []]);
});

test("a resumed one is read in pages and delivered in the order of its numbers", async () => {
  const { session, request } = setUp({ checkpointCount: 4, input: bytes("7") });
  session.pages = [
    page([entry("b", 2, "2"), entry("durable::x", 9, "0")], { nextCursor: "1" }),
    page([entry("a", 1, "1", 3), entry("c", 3, "3", 5)], {
      retries: [
        { checkpointId: "d", attempt: 2, createdAtMs: at, nextAtMs: null },
        { checkpointId: "d", attempt: 3, createdAtMs: at, nextAtMs: at + 5 },
      ],
    }),
  ];
  const loaded = await loadInstance(request);
  const { history, input } = runOf(loaded);
  assert.equal(input, 7);
  assert.deepEqual([history.replay?.count, history.replay?.sent], [3, 5]);
  assert.deepEqual(history.retryOf("d"), { attempt: 3, nextAtMs: at + 5 });
  assert.deepEqual(
    (await replayed(loaded)).map(({ id, seq }) => [id, seq]),
    [
      ["a", 1],
      ["b", 2],
      ["c", 3],
    ],
  );
  assert.deepEqual(
    session.listed.map(({ cursor }) => cursor),
    [undefined, "1"],
  );
});

test("a long state is fetched when it is delivered", async () => {
  const { session, request } = setUp({ checkpointCount: 2 });
  const long = entry("b", 2, JSON.stringify("x".repeat(300_000)));
  session.states.set("b", long.state as Uint8Array);
  session.pages = [page([entry("a", 1, "1"), { ...long, state: undefined }])];
  const loaded = await loadInstance(request);
  const before = session.found.length;
  const [, second] = await replayed(loaded);
  assert.equal(second?.text, textOf(long.state));
  assert.equal(session.found.length, before + 1);
});

test("values that a codec has sealed are opened with the key that sealed them", async () => {
  const codec = (name: string, key: number): Codec => ({
    name,
    encode: (plain) => plain.map((byte) => byte ^ key),
    decode: async (coded) => coded.map((byte) => byte ^ key),
  });
  const writer = setUp({}, undefined, [codec("old", 3)]);
  const { history } = runOf(await loadInstance(writer.request));
  const listener = { saved: () => {}, refused: () => {} };
  history.save({ id: "a", head: { seq: 1, at, kind: "step" }, outcome: "value", payload: '{"n":1}' }, listener);
  history.save({ id: "b", head: { seq: 2, at, kind: "step" }, outcome: "error", payload: '"no"' }, listener);
  writer.rounds.end();
  const states = writer.session.saves[0]?.batch.entries ?? [];
  assert.ok(!states.some(({ state }) => textOf(state).includes('"n"')));

  const reader = setUp({ checkpointCount: 2 }, undefined, [codec("new", 5), codec("old", 3)]);
  reader.session.pages = [
    page(
      states.map(({ checkpointId, state }) => ({ checkpointId, state, stateBytes: state.byteLength, createdAtMs: at })),
    ),
  ];
  assert.deepEqual(
    (await replayed(await loadInstance(reader.request))).map(({ text }) => text),
    [`{"$rt":1,"seq":1,"at":${at},"value":{"n":1}}`, `{"$rt":1,"seq":2,"at":${at},"error":"no"}`],
  );
});

const counting: StandardSchemaV1 & { calls: number } = {
  calls: 0,
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => {
      counting.calls++;
      if (value === "bad") return { issues: [{ message: "is bad" }] };
      return { value: value === "plain" ? value : { given: value, token: counting.calls } };
    },
  },
};

test("an input that its schema leaves as it is writes nothing", async () => {
  const { session, request } = setUp({ input: bytes('"plain"') }, counting);
  assert.equal(runOf(await loadInstance(request)).input, "plain");
  assert.equal(session.saves.length, 0);
});

test("an input that its schema has changed is stored before the first turn, and never computed again", async () => {
  const { session, rounds, request } = setUp({ input: bytes("1") }, counting);
  const loading = loadInstance(request);
  await settle();
  rounds.end();
  const [saved] = session.saves[0]?.batch.entries ?? [];
  assert.equal(saved?.checkpointId, "!start");
  session.saved();
  const first = runOf(await loading).input;

  const again = setUp({ input: bytes("1"), checkpointCount: 1 }, counting);
  again.session.pages = [page([{ checkpointId: "!start", state: saved?.state, stateBytes: 0, createdAtMs: at }])];
  const calls = counting.calls;
  const loaded = await loadInstance(again.request);
  assert.deepEqual(runOf(loaded).input, first);
  assert.equal(counting.calls, calls);
  assert.deepEqual(await replayed(loaded), []);
});

test("an input that its schema refuses ends the instance", async () => {
  const loaded = await loadInstance(setUp({ input: bytes('"bad"') }, counting).request);
  assert.ok(loaded.is === "end" && loaded.end.is === "threw" && loaded.end.error instanceof ValidationError);
});

test("an input that can't be read leaves the instance resumable", async () => {
  const loaded = await loadInstance(setUp({ input: bytes('{"$rt:class":["nobody",1]}') }).request);
  assert.ok(loaded.is === "end" && loaded.end.is === "diverged");
  assert.match(loaded.end.error.message, /The input can't be read/);
});

test("a later run begins with the entry that ended the one before, and reads only what is behind it", async () => {
  const { session, request } = setUp({ run: 3, checkpointCount: 9, input: bytes("0") });
  const next = writeEnvelope(
    { seq: 5, at: at + 9, kind: "next" },
    "value",
    '{"input":2,"inbox":[{"name":"s","value":1}]}',
  );
  session.states.set("!2.!next", bytes(next));
  session.pages = [page([entry("!2.x", 4, "0"), entry("!3.y", 1, "1"), entry("z", 2, "0")])];
  const loaded = await loadInstance(request);
  const { facts, input, inbox } = runOf(loaded);
  assert.deepEqual([facts.run, facts.startedAt, input, inbox], [3, at + 9, 2, [{ name: "s", value: 1 }]]);
  assert.deepEqual(
    (await replayed(loaded)).map(({ id }) => id),
    ["!3.y"],
  );
  assert.deepEqual(session.listed, [{ cursor: undefined, behind: "!2.!next" }]);
});

test("the next run of an instance in memory begins without a read, its input checked anew", async () => {
  const { session, rounds, request } = setUp({}, counting);
  const loading = loadNext(request, { is: "continued", input: 4, inputText: "4", inbox: [], at: at + 1 }, 2);
  await settle();
  rounds.end();
  assert.equal(session.saves[0]?.batch.entries[0]?.checkpointId, "!2.!start");
  session.saved();
  const { facts, input, history } = runOf(await loading);
  assert.deepEqual([facts.run, facts.startedAt, history.replay], [2, at + 1, undefined]);
  assert.deepEqual(input, { given: 4, token: counting.calls });
  assert.deepEqual([session.listed, session.found], [[], []]);
});
