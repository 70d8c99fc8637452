import assert from "node:assert/strict";
import { test } from "node:test";
import { continueAsNew, NonDeterminismError, sleep, step, workflow } from "@runtara/sdk";
import type { Entry } from "@runtara/sdk/testing";
import { createTest, replay } from "./index.ts";

let bodies = 0;
const body =
  <T>(value: T) =>
  (): T => {
    bodies += 1;
    return value;
  };

const order = workflow("order", async (total: number) => {
  const receipt = await step("charge", body(`receipt ${total}`));
  await Promise.all([step("pack", body("box")), step("label", body(new Date(0)))]);
  await sleep("a day", "1d");
  await step("ship", body("shipped"));
  return receipt;
});

/** The history of an instance that is where `days` have brought it. */
async function historyAfter(hours: number, input = 20) {
  const rt = await createTest({ workflows: [order] });
  const handle = await rt.start(order, input, { id: "order-7" });
  await rt.advance(`${hours}h`);
  const entries: Entry[] = [];
  for await (const entry of handle.history()) entries.push(entry);
  await rt.close();
  bodies = 0;
  return {
    async *[Symbol.asyncIterator]() {
      yield* entries;
    },
  };
}

test("code that fits its history is told so, and no body runs", async () => {
  for (const [hours, entries] of [
    [1, 3],
    [25, 5],
  ] as const) {
    assert.deepEqual(await replay(order, await historyAfter(hours)), { ok: true, entries });
  }
  assert.equal(bodies, 0);
});

test("a new call behind the last entry, other bodies and another order within Promise.all fit, too", async () => {
  const changed = workflow("order", async (total: number) => {
    const receipt = await step("charge", body(`other ${total}`), { retry: false });
    await Promise.all([step("label", body(1)), step("pack", body(2))]);
    await sleep("a day", "9d");
    await step("insure", body("new"));
    return receipt;
  });
  assert.deepEqual(await replay(changed, await historyAfter(1)), { ok: true, entries: 3 });
  assert.equal(bodies, 0);
});

test("a renamed step is named with both sides", async () => {
  const renamed = workflow("order", async () => {
    await step("charge-card", body(1));
    return "";
  });
  const verdict = await replay(renamed, await historyAfter(25));
  assert.ok(!verdict.ok && verdict.error instanceof NonDeterminismError);
  assert.match(verdict.error.message, /workflow "order", instance order-7: code and history differ at entry 1 of 5/);
  assert.match(verdict.error.message, /history: +step "charge" .*\n +code: +step "charge-card" .*replay\.test\.ts/);
  assert.equal(bodies, 0);
});

test("code that ends before its history does has diverged", async () => {
  const short = workflow("order", async () => step("charge", body("receipt")));
  const verdict = await replay(short, await historyAfter(25));
  assert.ok(!verdict.ok && verdict.error instanceof NonDeterminismError);
});

test("a history of another workflow, or none at all, is refused", async () => {
  const other = workflow("other", async () => undefined);
  await assert.rejects(replay(other, await historyAfter(1)), /the history is of workflow "order"/);
  await assert.rejects(replay(order, "hello"), { name: "ConfigError" });
});

test("an instance that went on as new is replayed from its present run on", async () => {
  const counting = workflow("counting", async (from: number): Promise<number | ReturnType<typeof continueAsNew>> => {
    const next = await step("count", body(from + 1));
    if (next < 3) return continueAsNew(next);
    await sleep("rest", "1d");
    return next;
  });
  await using rt = await createTest({ workflows: [counting] });
  const handle = await rt.start(counting, 0);
  await rt.advance("1h");
  assert.deepEqual(await replay(counting, handle.history()), { ok: true, entries: 1 });
});
