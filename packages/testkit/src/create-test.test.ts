import assert from "node:assert/strict";
import { test } from "node:test";
import { log, now, sleep, step, uuid, workflow } from "@runtara/sdk";
import { createTest } from "./index.ts";

const month = workflow("month", async (timers: number) => {
  const at: number[] = [];
  for (let index = 0; index < timers; index++) {
    await sleep("rest", "3d");
    at.push(await step("note", () => index));
  }
  return at;
});

test("thirty days with ten timers pass when they are told to", async () => {
  await using rt = await createTest({ workflows: [month], startAt: new Date(0) });
  const handle = await rt.start(month, 10);
  await rt.advance("29d");
  assert.equal((await handle.status()).status, "suspended");
  assert.equal((await rt.steps(handle)).length, 9);
  await rt.advance("1d");
  assert.deepEqual(await handle.result(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(rt.clock.now(), 30 * 86_400_000);
});

const paying = workflow("paying", async (name: string) => {
  const receipt = await step("charge", (s) => `${name} ${s.attempt} ${s.idempotencyKey}`);
  await sleep("a while", "1h");
  const shipped = await step("ship", () => "shipped");
  return { receipt: receipt.split(" ").slice(0, 2), shipped };
});

for (const where of ["crashBefore", "crashAfter"] as const) {
  test(`${where} ends the process at this commit, once, and another one goes on`, async () => {
    await using rt = await createTest({ workflows: [paying] });
    let charges = 0;
    const keys = new Set<string>();
    rt.fake("charge", (s) => {
      charges += 1;
      keys.add(s.idempotencyKey);
      return "ada 1 x";
    });
    rt[where]("charge");
    const handle = await rt.start(paying, "ada");
    await rt.advance("1h");
    assert.deepEqual(await handle.result(), { receipt: ["ada", "1"], shipped: "shipped" });
    assert.equal(charges, where === "crashBefore" ? 2 : 1);
    assert.equal(keys.size, 1, "every process gives the body the same key");
  });
}

test("crash() drops the process while a body runs: the body runs again, and its first run is not heard any more", async () => {
  await using rt = await createTest({ workflows: [paying], seed: 3 });
  let runs = 0;
  let release: () => void = () => {};
  rt.fake("charge", () => {
    runs += 1;
    if (runs > 1) return "second run x";
    return new Promise((resolve) => {
      release = () => resolve("first run x");
    });
  });
  const handle = await rt.start(paying, "ada");
  while (runs === 0) await new Promise((resolve) => setImmediate(resolve));
  await rt.crash();
  release();
  await rt.advance("1h");
  assert.deepEqual((await handle.result()).receipt, ["second", "run"]);
  assert.equal(runs, 2);
});

test("a fake by id wins over one by name, and holds from the next attempt on", async () => {
  const two = workflow("two", async () => [await step("get", () => "real"), await step("get", () => "real")]);
  await using rt = await createTest({ workflows: [two] });
  rt.fake("get", () => "by name");
  rt.fake("get~2", () => "by id");
  assert.deepEqual(await rt.run(two), ["by name", "by id"]);
});

test("an undo is faked by its own name, not by that of its step", async () => {
  const undone: string[] = [];
  const undoing = workflow("undoing", async () => {
    await step("charge", () => "real", { compensate: (receipt) => undone.push(`real undo of ${receipt}`) });
    throw new Error("no");
  });
  await using rt = await createTest({ workflows: [undoing] });
  rt.fake("charge", () => "fake");
  await assert.rejects(rt.run(undoing));
  rt.fake("charge!undo", () => undone.push("fake undo"));
  await assert.rejects(rt.run(undoing));
  assert.deepEqual(undone, ["real undo of fake", "fake undo"]);
});

test("steps tells id, name, attempts and outcome of what is finished", async () => {
  const mixed = workflow("mixed", async () => {
    await step("flaky", (s) => {
      if (s.attempt < 3) throw new Error("busy");
    });
    await step("bad", () => Promise.reject(new Error("no")), { retry: false }).catch(() => undefined);
    await sleep("for ever", "9d");
  });
  await using rt = await createTest({ workflows: [mixed] });
  const handle = await rt.start(mixed);
  await rt.advance("3s");
  assert.deepEqual(await rt.steps(handle), [
    { id: "flaky", name: "flaky", attempts: 3, outcome: "value" },
    { id: "bad", name: "bad", attempts: 1, outcome: "error" },
  ]);
});

test("equal seeds give equal random numbers, ids and times; another seed gives others", async () => {
  const draw = workflow("draw", async () => {
    await sleep("a day", "1d");
    return `${uuid()} ${now()}`;
  });
  const drawn = async (seed: number): Promise<string> => {
    await using rt = await createTest({ workflows: [draw], seed, startAt: new Date("2030-01-01") });
    assert.equal(rt.seed, seed);
    const handle = await rt.start(draw, undefined, { id: "d" });
    await rt.advance("1d");
    return handle.result();
  };
  assert.equal(await drawn(1), await drawn(1));
  assert.notEqual(await drawn(1), await drawn(2));
});

test("tests run side by side, each with its own clock and store", async () => {
  const results = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      await using rt = await createTest({ workflows: [month], startAt: new Date(index) });
      const handle = await rt.start(month, 1 + (index % 3), { id: "same" });
      await rt.advance(`${3 * (1 + (index % 3))}d`);
      return [(await handle.result()).length, rt.clock.now() % 86_400_000];
    }),
  );
  assert.deepEqual(
    results,
    results.map((_, index) => [1 + (index % 3), index]),
  );
});

test("a body that takes real time is waited for", async () => {
  const slow = workflow("slow", async () =>
    step("read", () => new Promise((resolve) => setTimeout(resolve, 30, "read"))),
  );
  await using rt = await createTest({ workflows: [slow] });
  const handle = await rt.start(slow);
  await rt.idle();
  assert.equal((await handle.status()).status, "completed");
});

test("log lines of a workflow reach the logger once, though it is replayed", async () => {
  const talking = workflow("talking", async () => {
    log.info("one");
    await step("a", () => undefined);
    log.info("two");
    await sleep("b", "1d");
    log.info("three");
  });
  const lines: string[] = [];
  const note = (_fields: object, message: string): void => {
    lines.push(message);
  };
  await using rt = await createTest({
    workflows: [talking],
    logger: { debug() {}, info: note, warn() {}, error() {} },
  });
  await rt.start(talking);
  await rt.advance("1h");
  await rt.crash();
  await rt.advance("1d");
  assert.deepEqual(
    lines.filter((line) => ["one", "two", "three"].includes(line)),
    ["one", "two", "three"],
  );
});

test("whoever waits for a result that can't come is told why", async () => {
  await using rt = await createTest({ workflows: [month] });
  await assert.rejects(rt.run(month, 1), /is running, and nothing moves: the clock of the test stands still.*advance/);
});

test("a result that is asked for before time passes comes when it has", async () => {
  await using rt = await createTest({ workflows: [month] });
  const handle = await rt.start(month, 2);
  const result = handle.result();
  await rt.advance("6d");
  assert.deepEqual(await result, [0, 1]);
});
