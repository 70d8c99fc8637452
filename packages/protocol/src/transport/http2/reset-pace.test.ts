import assert from "node:assert/strict";
import { test } from "node:test";
import { ResetPace } from "./reset-pace.ts";

test("so many at once, the rest in order and not faster than the rate", async () => {
  const pace = new ResetPace(10, 200);
  const done: number[] = [];
  const all = Promise.withResolvers<void>();
  const startedAt = performance.now();
  for (let i = 0; i < 30; i++) {
    pace.run(() => {
      done.push(i);
      if (done.length === 30) all.resolve();
    });
  }
  assert.equal(done.length, 10);
  // The pace alone keeps no process alive.
  const awake = setInterval(() => {}, 1_000);
  await all.promise;
  clearInterval(awake);
  assert.ok(performance.now() - startedAt >= 95, "20 more at 200 a second");
  assert.deepEqual(
    done,
    Array.from({ length: 30 }, (_, i) => i),
  );
});

test("nothing is reset after the end", () => {
  const pace = new ResetPace(1, 1);
  let resets = 0;
  for (let i = 0; i < 3; i++) pace.run(() => resets++);
  pace.stop();
  assert.equal(resets, 1);
});
