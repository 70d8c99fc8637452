// What the language offers works as it does elsewhere, and the same after a crash anywhere.

import assert from "node:assert/strict";
import { test } from "node:test";
import { scope, sleep, step, waitFor } from "../functions.ts";
import { rngOf } from "../testing/rng.ts";
import { outputOf, World, type WorldBody } from "../testing/world.ts";
import type { RunContext } from "./context.ts";

/** Runs it without a crash and then with many: what it returns must be the same. Gives that. */
async function everyTime(body: WorldBody, drive: (world: World) => void = () => {}, seeds = 25): Promise<unknown> {
  const results: unknown[] = [];
  for (let seed = 0; seed <= seeds; seed++) {
    const faults = seed === 0 ? {} : { crashes: 0.12, suspensions: 0.3 };
    const world = new World({ rng: rngOf(seed), ...faults });
    const instance = world.start("i", body);
    drive(world);
    await world.run();
    results.push(outputOf(instance));
  }
  for (const result of results) assert.deepEqual(result, results[0]);
  return results[0];
}

/** A step whose work takes so long, however often it is begun. */
function slow(c: RunContext, name: string, ms: number, fails = false): Promise<string> {
  return c.scope(name, async (inner) => {
    await inner.sleep(ms);
    return inner.step("end", () => (fails ? Promise.reject(new Error(name)) : name), { retry: false });
  });
}

async function* eachOf<T>(promises: readonly Promise<T>[]): AsyncGenerator<T> {
  for (const promise of promises) yield await promise;
}

test("Promise.all, allSettled, any and race", async () => {
  const result = await everyTime(async (_, c) => [
    await Promise.all([slow(c, "a", 30), slow(c, "b", 10), Promise.resolve("plain"), slow(c, "c", 20)]),
    await Promise.allSettled([slow(c, "a", 30), slow(c, "bad", 10, true)]).then((ends) =>
      ends.map(({ status }) => status),
    ),
    await Promise.any([slow(c, "bad", 5, true), slow(c, "late", 30), slow(c, "soon", 20)]),
    await Promise.any([slow(c, "one", 5, true), slow(c, "two", 30, true)]).catch((error: AggregateError) =>
      error.errors.map((cause) => cause.message),
    ),
    await Promise.race([slow(c, "x", 30), slow(c, "y", 10)]),
    await Promise.all([slow(c, "p", 30), slow(c, "q", 10, true)]).catch((error: Error) => error.message),
  ]);
  assert.deepEqual(result, [["a", "b", "plain", "c"], ["fulfilled", "rejected"], "soon", ["one", "two"], "y", "q"]);
});

test("then, catch and finally chains, thenables, await of plain values, many hops", async () => {
  const result = await everyTime(async (_, c) => {
    const order: string[] = [];
    const chain = c
      .step("a", () => 1)
      .then((value) => c.step("b", () => value + 1))
      .then((value) => {
        throw new Error(`after ${value}`);
      })
      .catch((error: Error) => c.step("c", () => error.message))
      .finally(() => order.push("finally"));
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tried
    const thenable = { then: (resolve: (value: string) => void) => c.step("d", () => "thenable").then(resolve) };
    for (let hop = 0; hop < 20; hop++) await Promise.resolve();
    return [await chain, await (thenable as unknown as PromiseLike<string>), order];
  });
  assert.deepEqual(result, ["after 2", "thenable", ["finally"]]);
});

test("async generators, for await, yield*, early return with finally", async () => {
  const result = await everyTime(async (_, c) => {
    const log: unknown[] = [];
    async function* pages(name: string): AsyncGenerator<number> {
      try {
        for (let page = 1; ; page++) {
          const rows = await c.step(`page ${name}`, () => [page, page * 10]);
          yield* rows;
          await c.sleep(5);
        }
      } finally {
        log.push(await c.step("close", () => `closed ${name}`));
      }
    }
    async function* both(): AsyncGenerator<number> {
      yield* pages("x");
    }
    for await (const row of both()) {
      log.push(row);
      if (row === 30) break;
    }
    for await (const value of eachOf([c.step("p", () => "p"), c.step("q", () => "q")])) log.push(value);
    return log;
  });
  assert.deepEqual(result, [1, 10, 2, 20, 3, 30, "closed x", "p", "q"]);
});

test("loops over promises, a pool of workers over a queue, recursion", async () => {
  const result = await everyTime(async (_, c) => {
    const squares: number[] = [];
    for await (const square of eachOf([1, 2, 3].map((n) => c.step("square", () => n * n)))) squares.push(square);
    const queue = Array.from({ length: 12 }, (_, index) => index);
    const done: string[] = [];
    const worker = async (name: string): Promise<void> => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
        await slow(c, `item`, 3 + ((item * 7) % 5));
        done.push(`${name}${item}`);
      }
    };
    await Promise.all(["a", "b", "c"].map(worker));
    const sum = async (n: number): Promise<number> => (n === 0 ? 0 : (await c.step("n", () => n)) + (await sum(n - 1)));
    return [squares, done.length, done, await sum(6)];
  });
  assert.deepEqual(
    (result as unknown[]).filter((_, index) => index !== 2),
    [[1, 4, 9], 12, 21],
  );
});

test("using and await using: waits are disarmed, durable clean-up runs, in reverse order", async () => {
  const result = await everyTime(
    async (_, c) => {
      const log: string[] = [];
      const room = (name: string): AsyncDisposable => ({
        [Symbol.asyncDispose]: async () => void log.push(await c.step(`leave ${name}`, () => `left ${name}`)),
      });
      try {
        await using _first = room("first");
        await using _second = room("second");
        using timer = c.sleep("never", "30d");
        using signal = c.waitFor("never");
        log.push(await Promise.race([timer, signal, c.waitFor<string>("go")]).then(String));
        throw new Error("out");
      } catch (error) {
        log.push((error as Error).message);
      }
      return [log, c.now()];
    },
    (world) => world.clock.after(50, () => world.signal("i", "go", "went")),
  );
  assert.deepEqual(result, [["went", "left second", "left first", "out"], 1_700_000_000_050]);
});

test("the free functions find their scope through all of it", async () => {
  const result = await everyTime(async () => {
    const inside = async (name: string): Promise<string> =>
      scope(name, async () => {
        await sleep(5);
        return step("s", (s) => s.checkpointId);
      });
    const ids = await Promise.all([
      inside("a"),
      inside("b"),
      step("s", (s) => s.checkpointId),
      scope("a", () => inside("a")),
    ]);
    return [...ids, await waitFor("x", { timeout: 1 })];
  });
  assert.deepEqual(result, ["a.s", "b.s", "s", "a~2.a.s", undefined]);
});

test("a rejection that nobody awaits yet, or never, is no unhandled rejection", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", note);
  const result = await everyTime(
    async (_, c) => {
      const early = c.step("early", () => Promise.reject(new Error("early")), { retry: false });
      const child = c.spawn({ name: "x" }, undefined);
      for (const call of [child.result(), child.signal("s", 1), child.cancel()]) void call;
      void c.sendSignal("i", "s", () => {});
      void c.scope("failing", () => Promise.reject(new Error("in a scope")));
      void c.patched("").catch(() => {});
      void c.patched("");
      const wait = c.waitFor("w");
      wait.cancel();
      await c.sleep(10);
      return early.catch((error: Error) => error.message);
    },
    undefined,
    5,
  ).catch(String);
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", note);
  assert.equal(result, "early");
  assert.deepEqual(unhandled, []);
});
