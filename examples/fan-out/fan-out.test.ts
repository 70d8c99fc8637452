import assert from "node:assert/strict";
import { test } from "node:test";
import { createTest, everyCrash, randomSchedules } from "@runtara/testkit";
import { type Picture, thumbnails } from "./fan-out.ts";

const pictures = (count: number): Picture[] =>
  Array.from({ length: count }, (_, index) => ({ id: `p${index}`, bytes: index % 500 === 499 ? 0 : 100 * index }));

test("a thousand pictures, two of them broken", async () => {
  await using rt = await createTest({ workflows: [thumbnails] });
  const handle = await rt.start(thumbnails, pictures(1_000));
  await rt.advance("1m");
  // p0 has no bytes either.
  assert.deepEqual(await handle.result(), { done: 997, failed: ["p0", "p499", "p999"], bytes: 498_002 });
  const attempts = (await rt.steps(handle)).map((step) => step.attempts);
  assert.deepEqual([attempts.length, attempts.filter((count) => count === 2).length], [1_000, 3]);
});

test("a process that dies in the middle repeats only what was not stored", async () => {
  await using rt = await createTest({ workflows: [thumbnails], seed: 11 });
  rt.crashAfter("shrink(p600)");
  const handle = await rt.start(thumbnails, pictures(1_000));
  await rt.advance("1m");
  assert.equal((await handle.result()).done, 997);
});

test("the order in which they end, and crashes, change nothing", async () => {
  await randomSchedules(thumbnails, pictures(20), { runs: 20 });
  await everyCrash(thumbnails, pictures(5));
});
