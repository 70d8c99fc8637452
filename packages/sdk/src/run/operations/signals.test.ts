import assert from "node:assert/strict";
import { test } from "node:test";
import { CancelledError, ContextError, isRuntaraError } from "../../errors.ts";
import { waitFor, waitForAny } from "../../functions.ts";
import { MemoryStore } from "../../testing/memory-history.ts";
import { runProcess } from "../../testing/run-once.ts";
import { SimulatedClock } from "../../testing/simulated-clock.ts";
import { errorOf, outputOf, World } from "../../testing/world.ts";
import type { RunContext } from "../context.ts";

type Body = (context: RunContext) => Promise<unknown>;

/** An instance `i` of this body, and the world it lives in. */
function begin(body: Body, options: ConstructorParameters<typeof World>[0] = {}) {
  const world = new World(options);
  const instance = world.start("i", (_, context) => body(context));
  const sendAt = (atMs: number, name: string, value: unknown): void => {
    world.clock.after(atMs, () => world.signal("i", name, value));
  };
  return { world, instance, sendAt };
}

test("a signal that was sent before the wait is taken, in the order of sending, each once", async () => {
  const { world, instance, sendAt } = begin(async (c) => {
    await c.sleep(100);
    return [await c.waitFor("a"), await c.waitFor<Date>("a"), await c.waitFor("a", { timeout: "1s" })];
  });
  sendAt(1, "a", "first");
  sendAt(2, "a", new Date(5));
  await world.run();
  assert.deepEqual(outputOf(instance), ["first", new Date(5), undefined]);
  assert.deepEqual(instance.ids, ["sleep", "a!signal", "a!signal~2", "a!timeout"]);
  assert.deepEqual(instance.store.signals, []);
});

test("the entry of a signal is in the documented form and consumes its row", async () => {
  const { world, instance, sendAt } = begin((c) => c.waitFor("go now"));
  sendAt(7, "go now", { n: 1n });
  await world.run();
  assert.equal(
    instance.store.entries.get("go*20now!signal"),
    '{"$rt":1,"seq":1,"at":1700000000007,"kind":"signal","value":{"n":{"$rt:bigint":"1"}}}',
  );
});

test("what nobody waits for stays in the store", async () => {
  const { world, instance, sendAt } = begin(async (c) => {
    await c.waitFor("a");
    await c.sleep(50);
    return "done";
  });
  for (const name of ["a", "a", "b"]) sendAt(5, name, name);
  await world.run();
  assert.equal(outputOf(instance), "done");
  assert.deepEqual(
    instance.store.signals.map(({ name }) => name),
    ["a", "b"],
  );
});

test("the newest wait is served first; the loser of a race gets the next one", async () => {
  const { world, instance, sendAt } = begin(async (c) => {
    const told: unknown[] = [];
    const older = c.waitFor("cmd").then((value) => told.push(["older", value]));
    await Promise.race([older, c.sleep(10)]);
    told.push(["newer", await c.waitFor("cmd")]);
    await older;
    return told;
  });
  sendAt(20, "cmd", 1);
  sendAt(30, "cmd", 2);
  await world.run();
  assert.deepEqual(outputOf(instance), [
    ["newer", 1],
    ["older", 2],
  ]);
});

test("a signal whose wait times out while it is being saved lies in the inbox for the next wait, in a replay too", async () => {
  const clock = new SimulatedClock();
  const begun = clock.now();
  const store = new MemoryStore();
  store.send("ok", '"late"');
  const body = async (_: unknown, c: RunContext): Promise<unknown> => {
    const first = await c.waitFor("ok", { timeout: 20 });
    await c.step("between", () => 1);
    return [first, await c.waitFor("ok")];
  };
  const settings = { store, clock, body };
  // Saves take time: the time-out is on its way when the signal comes.
  const { end } = await runProcess({
    ...settings,
    onEvent: (run) => clock.now() === begun + 20 && run.arrived([...store.signals]),
  });
  assert.equal(end?.is, "returned");
  assert.deepEqual(end.value, [undefined, "late"]);
  assert.deepEqual([...store.entries.keys()], ["ok!timeout", "ok!signal", "between"]);
  const again = await runProcess(settings);
  assert.equal(again.end?.is, "returned");
  assert.deepEqual(again.end.value, [undefined, "late"]);
});

test("waitForAny takes the first and leaves the others for later waits; the result names it", async () => {
  const { world, instance, sendAt } = begin(async (c) => {
    const first = await c.waitForAny(["a", "b"]);
    const second = await c.waitForAny(["a", "b"], { timeout: "1m" });
    const third = await c.waitForAny(["a", "b"], { timeout: 5 });
    return [first, second, third, await waitFor("c"), await waitForAny(["c", "d"], { timeout: 1 })];
  });
  sendAt(10, "b", 1);
  sendAt(10, "a", 2);
  sendAt(100, "c", 3);
  await world.run();
  assert.deepEqual(outputOf(instance), [{ name: "b", value: 1 }, { name: "a", value: 2 }, undefined, 3, undefined]);
});

test("of several signals in the inbox a wait for any takes the one that came first", async () => {
  const { world, instance, sendAt } = begin(async (c) => {
    const waits = [c.waitFor("a"), c.waitFor("b")];
    await c.sleep(10);
    for (const wait of waits) wait.cancel();
    await c.sleep(50);
    return Promise.allSettled([...waits, c.waitForAny(["a", "b"], { timeout: 1 })]);
  });
  sendAt(3, "b", "b");
  sendAt(2, "a", "a");
  await world.run();
  assert.deepEqual(
    (outputOf(instance) as { status: string; value?: unknown }[]).map(({ value }) => value),
    ["a", "b", undefined],
  );
});

test("two signals of one name and one waiter: one is taken, and what is wanted is told only when it changes", async () => {
  const wants: string[][] = [];
  let took = 0;
  const store = new MemoryStore();
  store.send("a", "1");
  store.send("a", "2");
  const { end } = await runProcess({
    store,
    body: async (_, c) => {
      const first = await c.waitFor("a");
      await c.sleep(10);
      return [first, await c.waitFor("a")];
    },
    listener: { wants: (names) => void wants.push([...names]) },
    onEvent: (run) => {
      if (took++ > 200) throw new Error("it spins");
      if (wants.at(-1)?.includes("a")) run.arrived(store.signals);
    },
  });
  assert.equal(end?.is, "returned");
  assert.deepEqual(end.value, [1, 2]);
  assert.deepEqual(wants, [["a"], [], ["a"], []]);
});

test("an answer that comes again after its signal was consumed is passed over", async () => {
  const store = new MemoryStore();
  store.send("a", "1");
  const stale = [...store.signals];
  const { end } = await runProcess({
    store,
    body: async (_, c) => [await c.waitFor("a"), await c.waitFor("a", { timeout: 500 })],
    onEvent: (run) => run.arrived(stale),
  });
  assert.equal(end?.is, "returned");
  assert.deepEqual(end.value, [1, undefined]);
});

test("wanted names are those of the newest waits first", async () => {
  const wants: string[][] = [];
  await runProcess({
    store: new MemoryStore(),
    body: async (_, c) => Promise.race([c.waitFor("a"), c.waitForAny(["b", "c"]), c.waitFor("d"), c.sleep(1)]),
    listener: { wants: (names) => void wants.push([...names]) },
  });
  assert.deepEqual(wants, [["d", "b", "c", "a"]]);
});

test("a wait that is disarmed, or left by using, rejects and takes nothing", async () => {
  const { world, instance, sendAt } = begin(async (c) => {
    const wait = c.waitFor("a", { timeout: "1h" });
    const outcome = wait.catch((error) => isRuntaraError(error, "CANCELLED"));
    wait.cancel();
    wait.cancel();
    {
      using other = c.waitFor("a");
      await c.step("meanwhile", () => other instanceof Promise);
    }
    await c.sleep(100);
    return outcome;
  });
  sendAt(50, "a", 1);
  await world.run();
  assert.equal(outputOf(instance), true);
  assert.equal(instance.store.signals.length, 1);
  assert.deepEqual(instance.ids, ["meanwhile", "sleep"]);
});

test("a replay gives the same signals to the same waits: listed and looked up", async () => {
  for (const sparse of [false, true]) {
    const store = new MemoryStore();
    for (const [name, value] of [
      ["a", 1],
      ["b", 2],
      ["a", 3],
    ] as const)
      store.send(name, String(value));
    const seen: unknown[][] = [];
    const body = async (_: unknown, c: RunContext): Promise<unknown> => {
      const mine: unknown[] = [];
      seen.push(mine);
      const race = await Promise.race([c.waitFor("a"), c.sleep("t", 5_000)]);
      mine.push(race);
      mine.push(await c.waitForAny(["a", "b"]), await c.waitFor("none", { timeout: 10 }));
      mine.push(await c.waitForAny(["a", "b"]), c.now());
      return "done";
    };
    const onEvent = (run: { arrived(signals: typeof store.signals): void }): void => run.arrived([...store.signals]);
    const first = await runProcess({ store, sparse, body, onEvent });
    assert.equal(first.end?.is, "returned", String(first.end?.is));
    const again = await runProcess({ store, sparse, body });
    assert.equal(again.end?.is, "returned");
    assert.deepEqual(seen[1], seen[0]);
    assert.deepEqual(seen[0]?.slice(0, 4), [1, { name: "b", value: 2 }, undefined, { name: "a", value: 3 }]);
  }
});

test("a wait that was taken out of the code is a divergence, and so is one that the history does not have yet", async () => {
  const store = new MemoryStore();
  store.send("a", "1");
  const body = async (_: unknown, c: RunContext): Promise<unknown> => {
    await c.waitFor("a");
    return c.step("after", () => 1);
  };
  await runProcess({ store, body, onEvent: (run) => run.arrived([...store.signals]) });
  assert.deepEqual([...store.entries.keys()], ["a!signal", "after"]);
  const edited = await runProcess({ store, body: async (_, c) => c.step("after", () => 1) });
  assert.equal(edited.end?.is, "diverged");
  assert.match(edited.end.error.message, /history: signal "a" +checkpoint a!signal/);
  const renamed = await runProcess({
    store,
    body: async (_, c) => [await c.waitFor("b"), await c.step("after", () => 1)],
  });
  assert.equal(renamed.end?.is, "diverged");
  assert.match(renamed.end.error.message, /code: {4}signal "b"/);
});

test("a cancel rejects waits for signals; afterwards they work again", async () => {
  const { world, instance, sendAt } = begin(async (c) => {
    const outcomes = await Promise.allSettled([c.waitFor("a"), c.waitForAny(["a", "b"], { timeout: "1h" })]);
    const names = outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason.name : "?"));
    return [...names, await c.waitFor("a")];
  });
  world.clock.after(10, () => world.cancel("i"));
  sendAt(20, "a", "later");
  await world.run();
  assert.deepEqual(outputOf(instance), ["CancelledError", "CancelledError", "later"]);
});

test("an instance that waits is put away, and a signal or its due time brings it back", async () => {
  const { world, instance, sendAt } = begin(
    async (c) => [await c.waitFor("a", { timeout: "7d" }), await c.waitFor("b", { timeout: "1d" })],
    { suspensions: 1 },
  );
  sendAt(3_600_000, "a", "an hour later");
  await world.run();
  assert.deepEqual(outputOf(instance), ["an hour later", undefined]);
  assert.equal(instance.suspensions, 2);
});

test("a time-out that was computed and is past gives what is there, or nothing", async () => {
  const { world, instance } = begin(async (c) => [await c.waitFor("a", { timeout: -5 })]);
  await world.run();
  assert.deepEqual(outputOf(instance), [undefined]);
});

test("names and options that can't be used are refused", async () => {
  const { world, instance } = begin(async (c) => {
    const messages: string[] = [];
    for (const call of [
      () => c.waitFor(""),
      () => c.waitFor("x".repeat(129)),
      () => c.waitFor("ship!result"),
      () => c.waitForAny([]),
      () => c.waitForAny(Array.from({ length: 1_001 }, (_, index) => `s${index}`)),
      () => c.waitFor("a", { timeout: "soon" as "1s" }),
    ]) {
      assert.throws(call, (error: Error) => {
        messages.push(error.message);
        return error instanceof ContextError;
      });
    }
    await assert.rejects(c.sendSignal("other", "ship!result", 1), /kept for the ends of children/);
    return messages;
  });
  await world.run();
  const messages = outputOf(instance) as string[];
  assert.match(messages[2] ?? "", /"ship!result" is kept for the ends of children/);
  assert.match(messages[3] ?? "", /0 signals were named; it must be 1 to 1000/);
  assert.match(messages[5] ?? "", /waitFor: the timeout/);
});

test("sendSignal is a step of its own: sent at least once, counted once", async () => {
  const world = new World();
  const receiver = world.start("r", async (_, c) => [
    await c.waitFor("hello"),
    await c.waitFor("hello", { timeout: 99 }),
  ]);
  const sender = world.start("s", async (_, c) => c.sendSignal("r", "hello", new Set([1])));
  await world.run();
  assert.equal(outputOf(sender), undefined);
  assert.deepEqual(sender.ids, ["hello!send"]);
  assert.deepEqual(outputOf(receiver), [new Set([1]), undefined]);
  const bad = world.start("bad", async (_, c) => c.sendSignal("r", "hello", () => {}));
  await world.run();
  assert.match(errorOf(bad).message, /^signal "hello" was given a value that can't be stored: payload is a function$/);
  assert.ok(!(errorOf(bad) instanceof CancelledError));
});

test("names that every object has are names like others", async () => {
  const { world, instance, sendAt } = begin(async (c) => {
    c.publish("toString", 1);
    return [await c.waitFor("constructor"), await c.waitFor("__proto__"), await c.waitForAny(["hasOwnProperty"])];
  });
  for (const name of ["constructor", "__proto__", "hasOwnProperty"]) sendAt(5, name, name);
  await world.run();
  assert.deepEqual(outputOf(instance), [
    "constructor",
    "__proto__",
    { name: "hasOwnProperty", value: "hasOwnProperty" },
  ]);
});
