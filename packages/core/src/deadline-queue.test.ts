import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { DeadlineQueue } from "./index.ts";

/** A queue whose clock is the test's own timers. */
function useQueue(t: TestContext): { queue: DeadlineQueue; pass(ms: number): void; now(): number } {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
  return { queue: new DeadlineQueue(() => Date.now()), pass: (ms) => t.mock.timers.tick(ms), now: () => Date.now() };
}

test("I7: each action runs once, in order of time, never early", (t) => {
  const { queue, pass, now } = useQueue(t);
  fc.assert(
    fc.property(fc.array(fc.record({ delayMs: fc.nat(500), cancelled: fc.boolean() }), { maxLength: 60 }), (waits) => {
      const ran: { index: number; at: number }[] = [];
      const startedAt = now();
      const deadlines = waits.map(({ delayMs }, index) => queue.after(delayMs, () => ran.push({ index, at: now() })));
      for (const [index, { cancelled }] of waits.entries()) if (cancelled) deadlines[index]?.cancel();
      for (let n = 0; n <= 501; n += 1) pass(1);
      const expected = waits.flatMap(({ cancelled }, index) => (cancelled ? [] : [index]));
      assert.deepEqual(
        ran.map(({ index }) => index).toSorted((a, b) => a - b),
        expected,
      );
      for (const { index, at } of ran) assert.ok(at - startedAt >= (waits[index]?.delayMs ?? 0));
      assert.deepEqual(
        ran.map(({ at }) => at),
        ran.map(({ at }) => at).toSorted((a, b) => a - b),
      );
      assert.equal(queue.size, 0);
    }),
    { numRuns: 50 },
  );
});

test("a wait far beyond Node's longest timer neither fires early nor keeps others waiting", (t) => {
  const { queue, pass } = useQueue(t);
  const ran: string[] = [];
  queue.after(3_155_760_000_000, () => ran.push("a hundred years"));
  queue.after(5_000_000_000, () => ran.push("two months"));
  queue.after(10, () => ran.push("soon"));
  pass(10);
  assert.deepEqual(ran, ["soon"]);
  for (let n = 0; n < 5; n += 1) pass(999_999_990);
  assert.deepEqual(ran, ["soon"]);
  pass(100);
  assert.deepEqual(ran, ["soon", "two months"]);
  assert.equal(queue.size, 1);
  queue.clear();
  assert.equal(queue.size, 0);
});

test("an action may wait again, and a cancelled wait can be cancelled twice", (t) => {
  const { queue, pass } = useQueue(t);
  const ran: number[] = [];
  queue.after(5, () => {
    ran.push(1);
    queue.after(0, () => ran.push(2));
  });
  const given = queue.after(7, () => ran.push(3));
  given.cancel();
  given.cancel();
  pass(5);
  pass(1);
  assert.deepEqual(ran, [1, 2]);
});

test("on the real clock nothing is early", async () => {
  const queue = new DeadlineQueue();
  await Promise.all(
    [0, 1, 3, 7, 20].map(async (delayMs) => {
      const startedAt = performance.now();
      await new Promise<void>((resolve) => queue.after(delayMs, resolve));
      assert.ok(performance.now() - startedAt >= delayMs);
    }),
  );
});
