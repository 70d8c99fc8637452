// Where the answer of a `patched` has its place among the other entries.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore } from "../testing/memory-history.ts";
import { rngOf } from "../testing/rng.ts";
import { runProcess } from "../testing/run-once.ts";
import type { RunContext } from "./context.ts";

type Body = (context: RunContext) => Promise<unknown>;

async function run(store: MemoryStore, body: Body): Promise<unknown> {
  const { end } = await runProcess({ store, body: (_, context) => body(context) });
  assert.ok(end?.is === "returned");
  return end.value;
}

const patched: Body = async (context) => {
  await context.step("begin", () => 1);
  const isNew = await context.patched("new-charge");
  await context.step(isNew ? "charge-v2" : "charge", () => 1);
  return context.step("end", () => "end");
};

test("asked for later than it was recorded, it is answered at once", async () => {
  const store = new MemoryStore();
  await run(store, patched);
  const later: Body = async (context) => {
    await context.step("begin", () => 1);
    await context.step("charge-v2", () => "again");
    const isNew = await context.patched("new-charge");
    return [isNew, await context.step("end", () => "again")];
  };
  assert.deepEqual(await run(store, later), [true, "end"]);
});

test("while an answer may be lost, nothing else is delivered", async () => {
  const store = new MemoryStore();
  const delivered: string[] = [];
  const { end } = await runProcess({
    store,
    rng: rngOf(3),
    settings: { probe: (what, id) => void (what === "deliver" && delivered.push(id)) },
    body: async (_, context) => {
      const first = context.step("first", () => 1);
      const second = context.step("second", () => 2);
      await first;
      await Promise.all([context.patched("p"), second]);
    },
  });
  assert.equal(end?.is, "returned");
  assert.deepEqual(delivered, ["first", "second", "p!patch"]);
});
