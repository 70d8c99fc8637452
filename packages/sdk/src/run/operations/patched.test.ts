import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore } from "../../testing/memory-history.ts";
import { runProcess } from "../../testing/run-once.ts";
import type { RunContext } from "../context.ts";
import { readEnvelope } from "../envelope.ts";

type Body = (context: RunContext) => Promise<unknown>;

async function answerOf(store: MemoryStore, body: Body, options: { sparse?: boolean; crashAfter?: number } = {}) {
  const { end } = await runProcess({ store, ...options, body: (_, context) => body(context) });
  if (end?.is === "diverged") throw end.error;
  return end?.is === "returned" ? end.value : end?.is;
}

const old: Body = async (c) => {
  await c.step("a", () => 1);
  await c.step("b", () => 2);
  await c.step("c", () => 3);
  return "old";
};

const patchedCode: Body = async (c) => {
  await c.step("a", () => 1);
  const isNew = await c.patched("better-b");
  if (isNew) await c.step("better b", () => 2);
  else await c.step("b", () => 2);
  // Asked again, the answer is the same.
  assert.equal(await c.patched("better-b"), isNew);
  await c.step("c", () => 3);
  return isNew ? "new" : "old";
};

for (const sparse of [false, true]) {
  const kind = sparse ? "looked up" : "listed";

  test(`new instances take the new way, stored as an entry, and so do their replays: ${kind}`, async () => {
    const store = new MemoryStore();
    assert.equal(await answerOf(store, patchedCode, { sparse }), "new");
    assert.deepEqual([...store.entries.keys()], ["a", "better-b!patch", "better*20b", "c"]);
    const envelope = readEnvelope(store.entries.get("better-b!patch") ?? "");
    assert.deepEqual([envelope.kind, envelope.stored], ["patch", true]);
    assert.equal(await answerOf(store, patchedCode, { sparse }), "new");
    assert.equal(store.entries.size, 4);
  });

  test(`old instances that are behind the place keep the old way: ${kind}`, async () => {
    const store = new MemoryStore();
    await answerOf(store, old, { sparse });
    assert.equal(await answerOf(store, patchedCode, { sparse }), "old");
    assert.equal(store.entries.size, 3, "nothing was added");
  });

  test(`at every crash of an old instance the new code comes to one of both ways, and stays with it: ${kind}`, async () => {
    for (let crashAfter = 1; crashAfter < 14; crashAfter++) {
      const store = new MemoryStore();
      await answerOf(store, old, { sparse, crashAfter });
      const isBehind = store.entries.has("b");
      const way = await answerOf(store, patchedCode, { sparse, crashAfter: 7 });
      const final = await answerOf(store, patchedCode, { sparse });
      assert.equal(final, isBehind ? "old" : "new", `crash after ${crashAfter}`);
      if (typeof way === "string" && way !== "stopped") assert.equal(way, final);
    }
  });

  test(`a crash before the answer is saved asks again: ${kind}`, async () => {
    for (let crashAfter = 1; crashAfter < 14; crashAfter++) {
      const store = new MemoryStore();
      await answerOf(store, patchedCode, { sparse, crashAfter });
      assert.equal(await answerOf(store, patchedCode, { sparse }), "new");
    }
  });
}

test("an answer that nobody asks for any more is passed over", async () => {
  const store = new MemoryStore();
  await answerOf(store, patchedCode);
  const cleaned: Body = async (c) => {
    await c.step("a", () => 1);
    await c.step("better b", () => 2);
    return c.step("c", () => 3);
  };
  assert.equal(await answerOf(store, cleaned), 3);
});

test("several patches in one workflow, inside scopes too, are told apart by their id alone", async () => {
  const store = new MemoryStore();
  const body: Body = async (c) => {
    const outer = await c.patched("one");
    const inner = await c.scope("s", async (s) => [await s.patched("one"), await s.patched("two")]);
    return [outer, ...inner];
  };
  assert.deepEqual(await answerOf(store, body), [true, true, true]);
  assert.deepEqual([...store.entries.keys()], ["one!patch", "two!patch"]);
});
