// Workflows of steps and sleeps from beginning to end, in this process, on a store in memory and on SQLite.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Runtime } from "../api/runtime.ts";
import type { AnyWorkflow } from "../api/workflow.ts";
import { sleep, step, workflow } from "../index.ts";
import { engines, storeOf } from "./local.test.helper.ts";
import { open } from "./open.ts";

const add = workflow("add", async ({ a, b }: { a: number; b: number }) => {
  const sum = await step("sum", () => a + b);
  await sleep("pause", 20);
  return await step("double", () => sum * 2);
});
const fanOut = workflow("fan-out", async (count: number) => {
  const squares = await Promise.all(Array.from({ length: count }, (_, n) => step("square", () => n * n)));
  return squares.reduce((sum, square) => sum + square, 0);
});
const fails = workflow("fails", async () => {
  await step("broken", () => Promise.reject(new TypeError("no")), { retry: false });
});

async function opened(
  t: TestContext,
  engine: "memory" | "sqlite",
  workflows: readonly AnyWorkflow[],
): Promise<Runtime> {
  const runtime = await open({ store: await storeOf(t, engine), workflows });
  t.after(() => runtime.close({ drain: 0 }));
  return runtime;
}

for (const engine of engines) {
  test(`${engine}: a workflow of steps and a sleep comes to its result`, async (t) => {
    const runtime = await opened(t, engine, [add]);
    assert.equal(await runtime.run(add, { a: 3, b: 4 }), 14);
  });

  test(`${engine}: a start by id is done once, and its handle tells the same result`, async (t) => {
    const runtime = await opened(t, engine, [add]);
    const first = await runtime.start(add, { a: 1, b: 2 }, { id: "one" });
    const second = await runtime.start(add, { a: 1, b: 2 }, { id: "one" });
    assert.deepEqual([await first.result(), await second.result()], [6, 6]);
    assert.equal((await runtime.get(add, "one").status()).status, "completed");
    await assert.rejects(runtime.start(add, { a: 1, b: 3 }, { id: "one" }), { name: "StartConflictError" });
  });

  test(`${engine}: many instances and many steps at once`, async (t) => {
    const runtime = await opened(t, engine, [fanOut]);
    const sums = await Promise.all(Array.from({ length: 20 }, () => runtime.run(fanOut, 30)));
    assert.deepEqual(
      sums,
      Array.from({ length: 20 }, () => 8_555),
    );
  });

  test(`${engine}: a workflow that was not listed is run once it is started`, async (t) => {
    const runtime = await opened(t, engine, []);
    assert.equal(await runtime.run(add, { a: 1, b: 1 }), 4);
  });

  test(`${engine}: a failure comes with the error of the step as its cause`, async (t) => {
    const runtime = await opened(t, engine, [fails]);
    await assert.rejects(runtime.run(fails), (error: Error) => {
      assert.equal(error.name, "InstanceFailedError");
      assert.ok(error.cause instanceof TypeError);
      assert.equal(error.cause.message, "no");
      return true;
    });
  });

  test(`${engine}: what one runtime left unfinished the next one ends, and no step is done again`, async (t) => {
    const store = await storeOf(t, engine);
    const ran: string[] = [];
    const gate = Promise.withResolvers<void>();
    const long = workflow("long", async () => {
      await step("first", () => ran.push("first"));
      await step("second", async () => {
        ran.push("second");
        await gate.promise;
      });
      return "done";
    });
    const first = await open({ store, workflows: [long] });
    await first.start(long, undefined, { id: "i" });
    while (!ran.includes("second")) await new Promise((resolve) => setImmediate(resolve));
    await first.close({ drain: 0 });
    const second = await open({ store, workflows: [long] });
    t.after(() => second.close({ drain: 0 }));
    gate.resolve();
    assert.equal(await second.get(long, "i").result(), "done");
    assert.deepEqual(ran, ["first", "second", "second"]);
  });
}

test("a runtime that is closed runs nothing and says so", async (t) => {
  const runtime = await opened(t, "memory", [add]);
  const handle = runtime.get(add, "none");
  await runtime.close();
  await runtime.close();
  await assert.rejects(runtime.start(add, { a: 1, b: 1 }), { name: "ConnectionError" });
  await assert.rejects(handle.status(), { name: "ConnectionError" });
});
