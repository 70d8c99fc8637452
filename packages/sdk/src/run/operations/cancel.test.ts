import assert from "node:assert/strict";
import { test } from "node:test";
import { CancelledError, isRuntaraError } from "../../errors.ts";
import { onCancel } from "../../functions.ts";
import { rngOf } from "../../testing/rng.ts";
import { outputOf, World, type WorldBody } from "../../testing/world.ts";

function cancelledAt(atMs: number, body: WorldBody, options: ConstructorParameters<typeof World>[0] = {}) {
  const world = new World(options);
  const instance = world.start("i", body);
  world.clock.after(atMs, () => world.cancel("i", "changed my mind"));
  return { world, instance };
}

test("onCancel callbacks and ctx.signal learn of the cancel in its turn, in order, with the reason; a replay repeats it", async () => {
  const lives: unknown[][] = [];
  const { world, instance } = cancelledAt(10, async (_, c) => {
    const told: unknown[] = [];
    lives.push(told);
    c.signal.addEventListener("abort", () => told.push(["aborted", (c.signal.reason as Error).message]));
    c.onCancel((reason) => void told.push(["first", reason, c.now()]));
    onCancel((reason) => void told.push(["second", reason]));
    c.onCancel(() => c.emit("heard"));
    c.onCancel(() => {
      throw new Error("in a callback");
    });
    await c.sleep("1h").catch(() => {});
    c.onCancel((reason) => void told.push(["too late is at once", reason]));
    await c.sleep(20);
    return told.length;
  });
  world.clock.after(20, () => world.crash(instance));
  await world.run();
  assert.equal(outputOf(instance), 4);
  assert.equal(lives.length, 2);
  assert.deepEqual(lives[1], lives[0]);
  assert.deepEqual(lives[0], [
    ["aborted", "the instance was cancelled: changed my mind"],
    ["first", "changed my mind", 1_700_000_000_010],
    ["second", "changed my mind"],
    ["too late is at once", "changed my mind"],
  ]);
  assert.deepEqual(instance.messages, ['{"kind":"event","subtype":"heard","text":"null","at":1700000000010}']);
});

test("a body learns of the cancel by s.signal and may end in its own way; a waiting retry ends at once", async () => {
  const { world, instance } = cancelledAt(10, async (_, c) => {
    const polite = c.step(
      "polite",
      (s) => new Promise((resolve) => s.signal.addEventListener("abort", () => resolve("done early"))),
    );
    const strict = c.step(
      "strict",
      (s) => new Promise((_, reject) => s.signal.addEventListener("abort", () => reject(s.signal.reason))),
    );
    const retrying = c.step(
      "retrying",
      () => {
        throw new Error("not yet");
      },
      { retry: { attempts: 5, backoff: "1h" } },
    );
    const outcomes = await Promise.allSettled([polite, strict, retrying]);
    return outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value : outcome.reason.name));
  });
  const begun = world.clock.now();
  await world.run();
  assert.deepEqual(outputOf(instance), ["done early", "CancelledError", "CancelledError"]);
  assert.ok(world.clock.now() - begun < 3_600_000, "nothing is left that fires later");
});

test("a body that was told to stop is not tried again, whatever it throws because of that", async () => {
  let attempts = 0;
  const { world, instance } = cancelledAt(10, async (_, c) =>
    c
      .step(
        "wrapped",
        (s) => {
          attempts++;
          return new Promise((_, reject) => s.signal.addEventListener("abort", () => reject(new Error("aborted"))));
        },
        { retry: { attempts: 5, backoff: "1h" } },
      )
      .catch((error: Error) => [error.name, (error.cause as Error).message]),
  );
  await world.run();
  assert.deepEqual(outputOf(instance), ["CancelledError", "aborted"]);
  assert.equal(attempts, 1);
});

test("out of the function: cancelled. Caught: whatever it returns. Thrown otherwise: failed", async () => {
  const out = cancelledAt(10, (_, c) => c.sleep("1h"));
  await out.world.run();
  assert.equal(out.instance.end?.is, "cancelled");
  const caught = cancelledAt(10, async (_, c) => c.sleep("1h").catch((error) => isRuntaraError(error, "CANCELLED")));
  await caught.world.run();
  assert.equal(outputOf(caught.instance), true);
  const other = cancelledAt(10, async (_, c) => {
    await c.sleep("1h").catch(() => {
      throw new RangeError("instead");
    });
  });
  await other.world.run();
  assert.equal(other.instance.end?.is, "threw");
});

test("a cancel is told once, also through crashes and suspension; durable calls work again", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const { world, instance } = cancelledAt(
      25,
      async (_, c) => {
        const told: unknown[] = [];
        for (let round = 0; round < 6; round++) {
          await Promise.all([c.sleep(10), c.step("s", () => round)]).catch((error) =>
            told.push(error instanceof CancelledError),
          );
        }
        return [told, c.signal.aborted];
      },
      { rng: rngOf(seed), crashes: 0.1, suspensions: 0.3 },
    );
    await world.run();
    assert.deepEqual(outputOf(instance), [[true], true], `seed ${seed}`);
  }
});

test("an instance that was cancelled before its first turn never runs", async () => {
  const world = new World({ delayMs: () => 50 });
  let ran = false;
  const instance = world.start("i", () => {
    ran = true;
  });
  world.clock.after(10, () => world.cancel("i"));
  await world.run();
  assert.deepEqual([instance.end?.is, ran], ["cancelled", false]);
});
