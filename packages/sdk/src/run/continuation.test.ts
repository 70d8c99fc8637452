// The entry that ends a run and begins the next.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ContextError } from "../errors.ts";
import { MemoryStore } from "../testing/memory-history.ts";
import { rngOf } from "../testing/rng.ts";
import { type ProcessOptions, runProcess } from "../testing/run-once.ts";
import { SimulatedClock } from "../testing/simulated-clock.ts";
import type { RunContext } from "./context.ts";
import { readEnvelope } from "./envelope.ts";

type Body = (input: never, context: RunContext) => unknown;

function process(store: MemoryStore, body: Body, more: Partial<ProcessOptions> = {}) {
  return runProcess({ store, body: body as ProcessOptions["body"], ...more });
}

test("the next run begins with an entry that has input and inbox; both are as a later process would read them", async () => {
  const store = new MemoryStore();
  const input = { items: [1], at: new Date(5) };
  const { end } = await process(store, async (_, context) => {
    await context.step("work", () => 1);
    return context.continueAsNew(input);
  });
  assert.ok(end?.is === "continued");
  assert.deepEqual(end.input, input);
  assert.notEqual(end.input, input);
  assert.equal(store.run, 2);
  const text = store.entries.get("!next") ?? "";
  assert.match(text, /"kind":"next","value":\{"input":\{.*\},"inbox":\[\]\}\}$/);
  assert.equal(readEnvelope(text).at, end.at);
});

test("the next run starts at the time of its entry, though the clock goes on while that is written", async () => {
  class Quick extends SimulatedClock {
    #looks = 0;
    override now(): number {
      return super.now() + this.#looks++;
    }
  }
  const store = new MemoryStore();
  const { end } = await process(store, async (_, context) => context.continueAsNew(1), { clock: new Quick() });
  assert.ok(end?.is === "continued");
  assert.equal(end.at, readEnvelope(store.entries.get("!next") ?? "").at);
});

test("later runs have their own prefix: ids, cancel, next", async () => {
  const store = new MemoryStore();
  const facts = {
    workflow: "test",
    version: undefined,
    instanceId: "i-1",
    tenantId: "t",
    run: 2,
    startedAt: 1_700_000_000_000,
    seed: "s",
  };
  const settings = { facts: { ...facts, signals: {}, published: {} } };
  const body: Body = async (_, context) => {
    await context.sleep("s", 1_000).catch(() => {});
    await context.step("work", () => 1);
    return context.continueAsNew(undefined);
  };
  const { end } = await process(store, body, { settings, onEvent: (run) => run.cancel(undefined) });
  assert.equal(end?.is, "continued");
  assert.deepEqual([...store.entries.keys()].sort(), ["!2.!cancel", "!2.!next", "!2.work"]);
  assert.equal(store.run, 3);
});

test("signals that were taken and not used go into the next run, also one whose turn comes after the end of the function", async () => {
  const names = ["a", "b", "c"];
  let carried = 0;
  for (let seed = 0; seed < 40; seed++) {
    const store = new MemoryStore();
    const clock = new SimulatedClock();
    for (const [index, name] of names.entries()) store.send(name, String(index));
    const body: Body = async (_, context) => {
      const waits = names.map((name) => context.waitFor(name));
      assert.equal(await Promise.race(waits), 0);
      for (const wait of waits) wait.cancel();
      return context.continueAsNew("again");
    };
    const onEvent: ProcessOptions["onEvent"] = (run) => run.arrived([...store.signals]);
    await process(store, body, { clock, onEvent, crashAfter: seed % 8, rng: rngOf(seed) });
    const { end } = await process(store, body, { clock, onEvent, rng: rngOf(seed + 1_000) });
    assert.ok(end?.is === "continued");
    carried += end.inbox.length;
    const unread = store.signals.map(({ payload }) => Number(new TextDecoder().decode(payload)));
    assert.deepEqual([...end.inbox.map(({ value }) => value), ...unread], [1, 2], "none is lost, none is doubled");
    const { inbox } = readEnvelope(store.entries.get("!next") ?? "").stored as { inbox: unknown };
    assert.deepEqual(inbox, end.inbox);
  }
  assert.ok(carried > 0);
});

test("what was carried over is taken before what comes new", async () => {
  const store = new MemoryStore();
  const inbox = [{ name: "n", value: "carried" }];
  const { end } = await process(store, (_, context) => context.waitFor("n"), { settings: { inbox } });
  assert.ok(end?.is === "returned" && end.value === "carried");
  assert.equal(store.entries.size, 0);
});

test("a process that dies between the end of the function and the entry, or behind it, continues all the same", async () => {
  for (let crashAfter = 1; crashAfter < 12; crashAfter++) {
    const store = new MemoryStore();
    const body: Body = async (_, context) => {
      await context.step("a", () => 1);
      return context.continueAsNew({ n: 2 });
    };
    await process(store, body, { crashAfter, rng: rngOf(crashAfter) });
    const { end } = await process(store, body);
    assert.ok(end?.is === "continued");
    assert.deepEqual([end.input, store.run, store.entries.size], [{ n: 2 }, 2, 2]);
  }
});

test("one that is made and not returned, or can't be stored, is an error", async () => {
  const { end } = await process(new MemoryStore(), async (_, context) => {
    context.continueAsNew(1);
    return "something else";
  });
  assert.ok(end?.is === "threw" && end.error instanceof ContextError);
  assert.match(end.error.message, /returned something else; write `return continueAsNew\(input\)`/);
  const store = new MemoryStore();
  const { end: unstorable } = await process(store, async (_, context) => context.continueAsNew({ f: () => 1 }));
  assert.equal(unstorable?.is, "threw");
  assert.equal(store.entries.size, 0);
});
