import assert from "node:assert/strict";
import { test } from "node:test";
import { LeaseWatch } from "./lease-watch.ts";

const times = { quietMs: 1_600, everyMs: 1_600, goneMs: 60_000 };

test("signs of life: nothing is renewed", () => {
  const watch = new LeaseWatch(times, 0, 0);
  for (let at = 1; at < 100; at += 1) assert.equal(watch.look(at, at * 1_000), "alive");
});

test("silence is renewed for after a while, at intervals, and given up in the end", () => {
  const watch = new LeaseWatch(times, 5, 0);
  const seen = new Map<string, number[]>();
  for (let at = 400; at <= 70_000; at += 400) {
    const sight = watch.look(5, at);
    seen.set(sight, [...(seen.get(sight) ?? []), at]);
  }
  const renewed = seen.get("renew") ?? [];
  assert.equal(renewed[0], 1_600);
  assert.equal(renewed.at(-1), 59_200);
  for (const [index, at] of renewed.slice(1).entries()) assert.equal(at - (renewed[index] ?? 0), 1_600);
  assert.equal(seen.get("gone")?.[0], 60_000);
  assert.equal(seen.has("alive"), false);
});

test("after a sign the silence begins anew, also after it was given up", () => {
  const watch = new LeaseWatch(times, 0, 0);
  assert.equal(watch.look(0, 61_000), "gone");
  assert.equal(watch.look(1, 61_400), "alive");
  assert.equal(watch.look(1, 62_000), "quiet");
  assert.equal(watch.look(1, 63_000), "renew");
  assert.equal(watch.look(2, 63_100), "alive");
  assert.equal(watch.look(2, 64_600), "quiet");
});
