import assert from "node:assert/strict";
import { test } from "node:test";
import { rngOf } from "../../testing/rng.ts";
import { outputOf, World, type WorldBody } from "../../testing/world.ts";
import { defaultPolicy } from "../retry.ts";

const policy = { ...defaultPolicy, jitter: 0 };

/** Notes number and time of each attempt; the last succeeds. */
function flaky(attempts: [number, number][], world: () => World, last: number): WorldBody {
  return (_, c) =>
    c.step(
      "flaky",
      (s) => {
        attempts.push([s.attempt, world().clock.now() - 1_700_000_000_000]);
        if (s.attempt < last) throw new Error("not yet");
        return s.attempt;
      },
      { retry: { attempts: 10, backoff: "1h", maxBackoff: "8h" } },
    );
}

const hour = 3_600_000;

test("count and time of the next attempt survive a crash in the middle of the wait", async () => {
  const attempts: [number, number][] = [];
  const world: World = new World({ settings: { stepPolicy: policy } });
  const instance = world.start(
    "i",
    flaky(attempts, () => world, 4),
  );
  for (const atMs of [10, 0.5 * hour, 1.5 * hour, 2 * hour, 5 * hour])
    world.clock.after(atMs, () => world.crash(instance));
  await world.run();
  assert.equal(outputOf(instance), 4);
  assert.deepEqual(attempts, [
    [1, 0],
    [2, hour],
    [3, 3 * hour],
    [4, 7 * hour],
  ]);
  assert.deepEqual(instance.store.retries.get("flaky"), { attempt: 4, nextAtMs: 1_700_000_000_000 + 7 * hour });
});

test("an attempt whose time has passed while no process was there is made at once", async () => {
  const attempts: [number, number][] = [];
  const world: World = new World({ settings: { stepPolicy: policy } });
  const instance = world.start(
    "i",
    flaky(attempts, () => world, 3),
  );
  world.clock.after(10, () => world.halt(instance));
  world.clock.after(2 * hour, () => world.launch(instance));
  await world.run();
  assert.deepEqual(attempts, [
    [1, 0],
    [2, 2 * hour],
    [3, 4 * hour],
  ]);
});

test("a long wait gives the process back, and the retry comes at its time", async () => {
  const attempts: [number, number][] = [];
  const world: World = new World({ suspensions: 1, settings: { stepPolicy: policy } });
  const instance = world.start(
    "i",
    flaky(attempts, () => world, 3),
  );
  await world.run();
  assert.equal(outputOf(instance), 3);
  assert.deepEqual(attempts, [
    [1, 0],
    [2, hour],
    [3, 3 * hour],
  ]);
  assert.equal(instance.suspensions, 2);
});

test("an attempt is announced before its wait begins: with crashes everywhere none is made too early or counted twice", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const attempts: [number, number][] = [];
    const world: World = new World({
      rng: rngOf(seed),
      crashes: 0.2,
      suspensions: 0.4,
      settings: { stepPolicy: policy },
    });
    const instance = world.start(
      "i",
      flaky(attempts, () => world, 5),
    );
    await world.run();
    assert.equal(outputOf(instance), 5);
    const first = new Map<number, number>();
    for (const [attempt, at] of attempts) {
      first.set(attempt, Math.min(first.get(attempt) ?? at, at));
      assert.equal(at, ([0, 1, 3, 7, 15][attempt - 1] ?? -1) * hour, `seed ${seed}`);
    }
    assert.equal(first.size, 5);
  }
});
