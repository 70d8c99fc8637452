import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { aesGcm } from "../codec/index.ts";
import { open } from "../embedded/index.ts";
import { LocalWorker, storeOf } from "../embedded/local.test.helper.ts";
import { LocalOperator } from "../embedded/local-operator.ts";
import { ConfigError, NotFoundError } from "../errors.ts";
import { continueAsNew, type Entry, emit, sleep, step, waitFor, workflow } from "../index.ts";
import { createSealer } from "../values/sealer.ts";
import { Calls } from "./calls.ts";
import { readHistoryFile, writeHistoryFile } from "./history-file.ts";
import { entriesOfFile, recordedRun } from "./recorded-run.ts";

async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list = [];
  for await (const item of items) list.push(item);
  return list;
}

const long = "x".repeat(300_000);
const tour = workflow("tour", async (input: { n: number; at: Date }) => {
  await step("long", () => long);
  await step(
    "flaky",
    (s) => {
      if (s.attempt === 1) throw new RangeError("once");
      return new Map([[1n, input.at]]);
    },
    { retry: { backoff: 1 } },
  );
  await step("broken", () => Promise.reject(new TypeError("no")), { retry: false }).catch(() => {});
  emit("passed", { n: input.n });
  const word = await waitFor<string>("word");
  await sleep("nap", 1);
  if (input.n > 0) return continueAsNew({ n: input.n - 1, at: input.at });
  return word;
});

/** An ended instance of two runs, its exporter and its live history. */
async function exported(t: TestContext, codecs: ReturnType<typeof aesGcm> = []) {
  const store = await storeOf(t, "memory");
  const runtime = await open({ store, tenantId: "t", workflows: [tour], codecs });
  t.after(() => runtime.close({ drain: 0 }));
  const handle = await runtime.start(tour, { n: 1, at: new Date(5) }, { id: "i" });
  await handle.signal("word", "one");
  await handle.signal("word", "two");
  assert.equal(await handle.result(), "two");
  const { core } = new LocalWorker(t, store);
  const operator = new LocalOperator({ core, store, tenantId: "t" });
  t.after(() => operator.close());
  const parts = { operator, tenantId: "t", calls: new Calls(core.clock) };
  const lines = await listOf(writeHistoryFile(parts, "i"));
  return { parts, lines, live: await listOf(handle.history()) };
}

test("a history goes into a file and comes back as it was, long states included", async (t) => {
  const { parts, lines, live } = await exported(t);
  assert.ok(lines.every((line) => line.endsWith("\n") && !line.slice(0, -1).includes("\n")));
  const back = await listOf(entriesOfFile(lines.join(""), createSealer()));
  assert.deepEqual(back, live);
  const steps = live.filter((entry) => entry.kind === "step" && entry.id === "long");
  assert.equal((steps[0] as { value?: unknown }).value, long);
  assert.ok(
    live.some((entry) => entry.kind === "retry" && entry.id === "flaky" && entry.attempt === 2 && entry.nextAt),
  );
  assert.ok(
    live.some((entry) => entry.kind === "sent" && entry.name === "word" && entry.payload === "one" && entry.delivered),
  );
  await assert.rejects(listOf(writeHistoryFile(parts, "nobody")), NotFoundError);
});

test("with a codec the file holds nothing readable, and is read with the key alone", async (t) => {
  const codecs = aesGcm({ k: new Uint8Array(32).fill(4) });
  const { lines, live } = await exported(t, codecs);
  const file = lines.join("");
  assert.ok(!file.includes("xxxx") && !file.includes('"two"') && file.includes("aes-256-gcm:k"));
  assert.deepEqual(await listOf(entriesOfFile(file, createSealer(codecs))), live);
  await assert.rejects(listOf(entriesOfFile(file, createSealer())), /not among the codecs of this process/);
});

test("what a replay needs: the last run's beginning and its entries in the order of delivery", async (t) => {
  const { lines } = await exported(t);
  const run = await recordedRun(entriesOfFile(lines.join(""), createSealer()));
  assert.deepEqual(
    [run.workflow, run.instanceId, run.tenantId, run.run, run.input, run.inbox],
    ["tour", "i", "t", 2, { n: 0, at: new Date(5) }, []],
  );
  assert.deepEqual(
    run.rows.map(({ id, seq }) => `${seq} ${id}`),
    [...["1 !2.long", "2 !2.flaky", "3 !2.broken", "4 !2.word!signal", "5 !2.nap"]],
  );
  const stored = lines.filter((line) => line.includes('"kind":"checkpoint"')).map((line) => JSON.parse(line));
  for (const row of run.rows) {
    // The number of messages before it says nothing to a replay without a store.
    const state = stored.find(({ id }) => id === row.id).state.replace(/,"out":\d+/, "");
    assert.equal(row.text, state, row.id);
  }
});

test("the format is kept: the file of the documentation is read as it is meant", async () => {
  const page = readFileSync(new URL("../../../../docs/stored-forms.md", import.meta.url), "utf8");
  const sample = /^```jsonl\n(.*?)^```$/ms.exec(page)?.[1] ?? "";
  const file = `${sample.replace('{"$rt":"history"', '{"later":true,"$rt":"history"')}{"kind":"of a later version","atMs":2000}\n`;
  const entries: Entry[] = await listOf(entriesOfFile(file, createSealer()));
  const at = (ms: number): Date => new Date(ms);
  const seed = "000102030405060708090a0b0c0d0e0f";
  const facts = { instanceId: "order-7", tenantId: "default", workflow: "order", version: "2", run: 1, seed };
  assert.deepEqual(entries, [
    { at: at(1000), kind: "begin", ...facts, input: [1] },
    {
      ...{ at: at(1400), kind: "step", id: "charge", name: "charge", seq: 1, src: "a.ts:1:2" },
      ...{ outcome: "value", value: 5n },
    },
    { at: at(1600), kind: "checkpoint", id: "raw::b", state: Uint8Array.of(255) },
    { at: at(1700), kind: "retry", id: "ship", attempt: 2, nextAt: at(2700), error: "Error: x" },
    { at: at(1800), kind: "event", type: "custom", subtype: "note", payload: { n: 1 } },
    { at: at(1900), kind: "sent", name: "go", payload: true, delivered: false },
    { at: at(1950), kind: "sent", name: "cancel", delivered: true },
  ]);
  assert.equal(readHistoryFile(file).head.status, "suspended");
});

test("what is no history file is named with its line", () => {
  const facts = '"instanceId":"i","tenantId":"t","workflow":"w","status":"running","run":1,"startedAtMs":1';
  const head = `{"$rt":"history","format":1,${facts},"seed":"${"0f".repeat(16)}"}\n`;
  const refused: [string, RegExp][] = [
    ["", /line 1 of the history file is no JSON object/],
    ["{}", /no history file/],
    ['{"$rt":"history","format":2}', /is of format 2; this version reads format 1/],
    ['{"$rt":"history","format":1}', /line 1 of the history file: instanceId is missing/],
    [head.replace('"run":1', '"run":"1"'), /line 1 of the history file: run is missing or is not/],
    [head.replace("0f0f", "0f"), /line 1 of the history file: seed/],
    [`${head}{`, /line 2 of the history file is no JSON object/],
    [`${head}{"kind":"checkpoint","atMs":1}`, /line 2 of the history file: id is missing/],
    [`${head}\n{"kind":"retry","id":"a","attempt":"x","atMs":1}`, /line 3 of the history file: attempt/],
    [`${head}{"kind":"checkpoint","atMs":1,"id":"a","stateBase64":"%"}`, /stateBase64/],
  ];
  for (const [file, message] of refused) {
    assert.throws(
      () => readHistoryFile(file),
      (error) => error instanceof ConfigError && message.test(error.message),
      file,
    );
  }
});

test("a history without a beginning, or without that of its run, can't be replayed", async () => {
  const of = async function* (entries: Entry[]): AsyncGenerator<Entry> {
    yield* entries;
  };
  const begin = {
    at: new Date(0),
    kind: "begin",
    instanceId: "i",
    tenantId: "t",
    workflow: "w",
    run: 2,
    seed: "",
    input: 1,
  } as const;
  await assert.rejects(recordedRun(of([])), /the history is empty/);
  await assert.rejects(
    recordedRun(of([{ at: new Date(0), kind: "event", type: "started" }])),
    /begins with an entry of the kind begin/,
  );
  await assert.rejects(recordedRun(of([begin])), /has no entry !next, with which run 2 began/);
  const next = {
    at: new Date(7),
    kind: "next",
    id: "!next",
    name: "!next",
    seq: 3,
    outcome: "value",
    value: { input: 2, inbox: [{ name: "a", value: 1 }] },
  } as const;
  const start = {
    at: new Date(7),
    kind: "start",
    id: "!2.!start",
    name: "!start",
    seq: 0,
    outcome: "value",
    value: { input: "two" },
  } as const;
  const run = await recordedRun(of([begin, next, start]));
  assert.deepEqual([run.startedAtMs, run.input, run.inbox, run.rows], [7, "two", [{ name: "a", value: 1 }], []]);
});
