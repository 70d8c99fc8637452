import assert from "node:assert/strict";
import { test } from "node:test";
import { ContextError } from "../../errors.ts";
import { continueAsNew } from "../../functions.ts";
import { rngOf } from "../../testing/rng.ts";
import { errorOf, outputOf, World, type WorldBody } from "../../testing/world.ts";

test("the next run begins with the input and an empty history, under a prefix", async () => {
  const world = new World();
  const seen: unknown[] = [];
  const instance = world.start(
    "i",
    async (input, c) => {
      const { round, at } = input as { round: number; at: Date };
      seen.push([round, at, c.run, c.now(), c.random()]);
      await c.step("work", () => round);
      await c.sleep("1h");
      return round < 3 ? c.continueAsNew({ round: round + 1, at: new Date(c.now()) }) : "done";
    },
    { round: 1, at: new Date(0) },
  );
  const begun = world.clock.now();
  await world.run();
  assert.equal(outputOf(instance), "done");
  assert.deepEqual(
    instance.stores.map(({ entries }) => [...entries.keys()]),
    [
      ["work", "sleep", "!next"],
      ["!2.work", "!2.sleep", "!2.!next"],
      ["!3.work", "!3.sleep"],
    ],
  );
  const hour = 3_600_000;
  assert.deepEqual(
    seen.map((facts) => (facts as unknown[]).slice(0, 4)),
    [
      [1, new Date(0), 1, begun],
      [2, new Date(begun + hour), 2, begun + hour],
      [3, new Date(begun + 2 * hour), 3, begun + 2 * hour],
    ],
  );
  assert.notEqual((seen[0] as unknown[])[4], (seen[1] as unknown[])[4], "each run has numbers of its own");
});

const counting: WorldBody = async (input, c) => {
  const round = Number(input ?? 1);
  const taken = await c.waitFor("n");
  await c.step("note", () => taken);
  return round < 4 ? c.continueAsNew(round + 1) : taken;
};

test("signals that were taken and not used go on to the next run, those in the store stay there", async () => {
  const world = new World();
  const instance = world.start("i", async (input, c) => {
    if (input === 2) return [await c.waitFor("a"), await c.waitFor("b")];
    await c.waitFor("a").catch(() => {});
    return c.continueAsNew(2);
  });
  world.clock.after(10, () => {
    world.signal("i", "b", "in the store");
    // Both are recorded before either is delivered: the cancel ends the wait that the signal was for.
    world.cancel("i");
    world.signal("i", "a", "carried");
    instance.cancel = undefined;
  });
  await world.run();
  assert.deepEqual(outputOf(instance), ["carried", "in the store"]);
  assert.match(instance.stores[0]?.entries.get("!next") ?? "", /"inbox":\[\{"name":"a","value":"carried"\}\]/);
});

test("I6: crashes anywhere lose no run and no signal", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const world = new World({ rng: rngOf(seed), crashes: 0.15, suspensions: 0.3 });
    const instance = world.start("i", counting);
    for (let n = 1; n <= 4; n++) world.clock.after(n * 10, () => world.signal("i", "n", n));
    await world.run();
    assert.equal(outputOf(instance), 4, `seed ${seed}`);
    assert.deepEqual(
      instance.ids.filter((id) => id.endsWith("note")),
      ["note", "!2.note", "!3.note", "!4.note"],
    );
  }
});

test("made and not returned is an error, and so is an input that can't be stored", async () => {
  const world = new World();
  const forgotten = world.start("forgotten", async () => {
    continueAsNew(1);
    return "something else";
  });
  const bad = world.start("bad", async (_, c) => c.continueAsNew({ go: () => 1 }));
  await world.run();
  assert.ok(errorOf(forgotten) instanceof ContextError);
  assert.match(
    errorOf(forgotten).message,
    /called continueAsNew and returned something else; write `return continueAsNew\(input\)`/,
  );
  assert.match(errorOf(bad).message, /continued with a value that can't be stored: input\.go is a function/);
});

test("no catch swallows it, and finally blocks still work before the next run", async () => {
  const world = new World();
  const instance = world.start("i", async (input, c) => {
    if (input === 2) return "second";
    try {
      return c.continueAsNew(2);
    } catch {
      return "swallowed";
    } finally {
      await c.step("tidy", () => 1);
    }
  });
  await world.run();
  assert.equal(outputOf(instance), "second");
  assert.deepEqual(instance.ids, ["tidy", "!next"]);
});

test("a cancel that comes between two runs reaches the next", async () => {
  const world = new World();
  const instance = world.start("i", async (input, c) => {
    if (input === 2) await c.sleep("1h");
    await c.sleep(10);
    return c.continueAsNew(2);
  });
  world.clock.after(9, () => world.clock.after(1, () => world.cancel("i", "enough")));
  await world.run();
  assert.equal(instance.end?.is, "cancelled");
});
