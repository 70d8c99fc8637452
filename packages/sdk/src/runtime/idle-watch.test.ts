import assert from "node:assert/strict";
import { test } from "node:test";
import { IdleWatch } from "./idle-watch.ts";
import { TestClock } from "./testing/setup.ts";

const idleMs = 1_000;

test("each is named once when it has been idle for a while, the longest idle first", async () => {
  const clock = new TestClock();
  const named: string[] = [];
  const watch = new IdleWatch<string>(clock, idleMs, (member) => named.push(member));
  watch.add("a");
  await clock.pass(400);
  watch.add("b");
  watch.add("c");
  assert.deepEqual([...watch.all()], ["a", "b", "c"]);
  await clock.pass(idleMs - 400);
  assert.deepEqual(named, ["a"]);
  watch.remove("b");
  await clock.pass(idleMs * 3);
  assert.deepEqual(named, ["a", "c"]);
  assert.deepEqual([...watch.all()], ["a", "c"], "still idle, and to be had under pressure");
});

test("who goes on and comes to rest again is the last in line", async () => {
  const clock = new TestClock();
  const named: string[] = [];
  const watch = new IdleWatch<string>(clock, idleMs, (member) => named.push(member));
  watch.add("a");
  watch.add("b");
  await clock.pass(500);
  watch.add("a");
  assert.deepEqual([...watch.all()], ["b", "a"]);
  await clock.pass(idleMs - 500);
  assert.deepEqual(named, ["b"]);
  await clock.pass(500);
  assert.deepEqual(named, ["b", "a"]);
  watch.close();
  watch.add("c");
  await clock.pass(5_000);
  assert.deepEqual(named, ["b", "a"]);
});
