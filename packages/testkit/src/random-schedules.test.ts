import assert from "node:assert/strict";
import { test } from "node:test";
import { scope, sleep, step, workflow } from "@runtara/sdk";
import { randomSchedules } from "./index.ts";

test("a workflow whose branches don't depend on each other passes, in many orders", async () => {
  const orders = new Set<string>();
  let order: string[] = [];
  const branches = workflow("branches", async () =>
    Promise.all(
      ["a", "b", "c"].map((name) =>
        scope(name, async () => {
          const one = await step("one", () => order.push(name) > 0 && name);
          const two = await step("two", () => order.push(name) > 0 && `${one}${name}`);
          await sleep("rest", "1h");
          return two;
        }),
      ),
    ),
  );
  const reset = (): void => {
    if (order.length > 0) orders.add(order.join(""));
    order = [];
  };
  const report = await randomSchedules(branches, undefined, { seed: 2, runs: 40, reset });
  assert.deepEqual(report, { runs: 40, crashes: 0, boundaries: report.boundaries, seed: 2 });
  assert.ok(orders.size > 5, `${orders.size} orders were tried`);
});

test("it finds a race that either side may win", async () => {
  const race = workflow("race", async () =>
    Promise.race([step("tortoise", () => "tortoise"), step("hare", () => "hare")]),
  );
  await assert.rejects(
    randomSchedules(race, undefined, { seed: 4, allowAbandoned: true }),
    /ended differently in schedule \d+ of 100.*seed: 4/s,
  );
});

test("equal seeds give the same verdict at the same place", async () => {
  const shared = workflow("shared", async () => {
    const order: string[] = [];
    const branch = async (name: string): Promise<void> => {
      await step(name, () => undefined);
      order.push(name);
    };
    await Promise.all([branch("x"), branch("y"), branch("z")]);
    return order;
  });
  const verdict = (): Promise<string> => randomSchedules(shared, undefined, { seed: 9 }).then(String, String);
  assert.equal(await verdict(), await verdict());
});
