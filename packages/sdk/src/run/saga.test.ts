import assert from "node:assert/strict";
import { test } from "node:test";
import { CompensationError, ContextError, FatalError } from "../errors.ts";
import { compensate, step } from "../functions.ts";
import { rngOf } from "../testing/rng.ts";
import { errorOf, outputOf, World, type WorldBody, type WorldInstance } from "../testing/world.ts";

/** What was done and undone, in order. */
type Deeds = string[];

/** Three steps that are undone by their compensations; `failing` throws after so many. */
function order(deeds: Deeds, failing: number, undoFails: readonly string[] = []): WorldBody {
  return async (_, c) => {
    for (const [index, name] of ["reserve", "charge", "ship"].entries()) {
      if (index === failing) throw new RangeError("no");
      await c.step(name, () => `${name}d`, {
        compensate: (result, s) => {
          deeds.push(`undo ${name} ${result} ${s.attempt}`);
          if (undoFails.includes(name)) throw new FatalError(`can't undo ${name}`);
        },
      });
    }
    if (failing === 3) throw new RangeError("no");
    return "shipped";
  };
}

async function enact(body: WorldBody, options: ConstructorParameters<typeof World>[0] = {}, cancelAtMs?: number) {
  const world = new World(options);
  const instance = world.start("i", body);
  if (cancelAtMs !== undefined) world.clock.after(cancelAtMs, () => world.cancel("i"));
  await world.run();
  return { world, instance };
}

test("compensations run newest first, one after another, each an entry, and the first error is the end", async () => {
  const done = ["reserve", "charge", "ship"];
  for (let failing = 0; failing <= 3; failing++) {
    const deeds: Deeds = [];
    const { instance } = await enact(order(deeds, failing));
    assert.ok(errorOf(instance) instanceof RangeError);
    const undone = done.slice(0, failing).reverse();
    assert.deepEqual(
      deeds,
      undone.map((name) => `undo ${name} ${name}d 1`),
    );
    assert.deepEqual(instance.ids, [...done.slice(0, failing), ...undone.map((name) => `${name}!undo`)]);
  }
  const deeds: Deeds = [];
  const { instance } = await enact(order(deeds, 4));
  assert.equal(outputOf(instance), "shipped");
  assert.deepEqual(deeds, [], "success discards all");
});

test("a crash anywhere resumes at the first that is not done; no result changes, and each undo that is stored ran before", async () => {
  for (let seed = 1; seed <= 80; seed++) {
    const deeds: Deeds = [];
    const { instance } = await enact(order(deeds, 3), { rng: rngOf(seed), crashes: 0.15 });
    assert.ok(errorOf(instance) instanceof RangeError, `seed ${seed}`);
    assert.deepEqual(instance.ids, ["reserve", "charge", "ship", "ship!undo", "charge!undo", "reserve!undo"]);
    const order_ = deeds.filter((deed, index) => deed !== deeds[index - 1]);
    assert.deepEqual(order_, ["undo ship shipd 1", "undo charge charged 1", "undo reserve reserved 1"]);
  }
});

test("one that fails for good is reported, the rest still run, and the instance fails with CompensationError", async () => {
  for (const undoFails of [["charge"], ["reserve", "ship"], ["reserve", "charge", "ship"]]) {
    const deeds: Deeds = [];
    const { instance } = await enact(order(deeds, 3, undoFails));
    const error = errorOf(instance);
    assert.ok(error instanceof CompensationError);
    assert.ok(error.cause instanceof RangeError);
    const expected = ["ship", "charge", "reserve"].filter((name) => undoFails.includes(name));
    assert.deepEqual(
      error.errors.map((failure) => (failure as Error).message),
      expected.map((name) => `can't undo ${name}`),
    );
    assert.equal(deeds.length, 3);
    const events = instance.messages.map((text) => JSON.parse(text));
    assert.deepEqual(
      events.map(({ subtype, text }) => [subtype, JSON.parse(text).name]),
      expected.map((name) => ["compensation_failed", name]),
    );
    assert.match(
      error.message,
      new RegExp(
        `^workflow "test" failed \\(RangeError: no\\), and so did ${expected.length} of 3 compensations: FatalError: `,
      ),
    );
  }
});

test("a compensation is tried ten times by default, or as its own policy says", async () => {
  const counts: Record<string, number> = {};
  const failing = (name: string) => () => {
    counts[name] = (counts[name] ?? 0) + 1;
    throw new Error("again");
  };
  await enact(async (_, c) => {
    await c.step("a", () => 1, { compensate: failing("step"), retry: false });
    c.compensate("b", failing("own"));
    compensate("c", failing("twice"), { retry: { attempts: 2 } });
    throw new Error("x");
  });
  assert.deepEqual(counts, { step: 10, own: 10, twice: 2 });
});

test("the result is undefined where the step failed; an error that is caught undoes nothing", async () => {
  const deeds: unknown[] = [];
  const fail = (): never => {
    throw new FatalError("no");
  };
  const caught = await enact(async (_, c) => {
    await c.step<number>("a", fail, { compensate: (result) => deeds.push(result) }).catch(() => {});
    return "went on";
  });
  assert.equal(outputOf(caught.instance), "went on");
  assert.equal(deeds.length, 0);
  const { instance } = await enact((_, c) =>
    c.step<number>("a", fail, { compensate: (result) => deeds.push(["undone", result]) }),
  );
  assert.equal(errorOf(instance).message, "no");
  assert.deepEqual(deeds, [["undone", undefined]]);
});

test("a cancel compensates and ends as cancelled; a compensation that fails makes it failed", async () => {
  const body =
    (deeds: Deeds, fails: boolean): WorldBody =>
    async (_, c) => {
      await c.step("a", () => 1, {
        compensate: () => {
          deeds.push("a");
          if (fails) throw new FatalError("stuck");
        },
      });
      await c.sleep("1h");
    };
  const deeds: Deeds = [];
  const { instance } = await enact(body(deeds, false), {}, 10);
  assert.equal(instance.end?.is, "cancelled");
  assert.deepEqual(instance.ids, ["a", "!cancel", "a!undo"]);
  const failed = await enact(body(deeds, true), {}, 10);
  assert.ok(errorOf(failed.instance) instanceof CompensationError);
  assert.equal(((errorOf(failed.instance) as Error).cause as Error).name, "CancelledError");
});

test("a cancel during compensation changes nothing: no entry, and it counts as recorded", async () => {
  let standing: unknown;
  const deeds: Deeds = [];
  const world = new World();
  const instance = world.start("i", async (_, c) => {
    c.compensate("last", () => void deeds.push("last"));
    c.compensate(
      "slow",
      (s) => {
        deeds.push(`slow ${s.attempt}`);
        if (s.attempt < 3) throw new Error("not yet");
      },
      { retry: { backoff: "1h", jitter: 0 } },
    );
    throw new RangeError("first");
  });
  world.clock.after(60_000, () => world.cancel("i"));
  world.clock.after(120_000, () => {
    standing = instance.process?.run.standing();
  });
  world.clock.after(180_000, () => world.crash(instance));
  world.clock.after(240_000, () => assert.equal(instance.process?.run.standing()?.recordedSignal, "cancel"));
  await world.run();
  assert.ok(errorOf(instance) instanceof RangeError);
  assert.deepEqual(deeds, ["slow 1", "slow 2", "slow 3", "last"]);
  assert.deepEqual(instance.ids, ["slow!undo", "last!undo"]);
  assert.equal((standing as { recordedSignal: string }).recordedSignal, "cancel");
});

test("what still runs is told to stop and waited for, so that its result is known; not for ever", async () => {
  const deeds: unknown[] = [];
  const { instance } = await enact(async (_, c) => {
    const note = (name: string) => (result: unknown) => void deeds.push([name, result]);
    const running = [
      c.step(
        "polite",
        (s) => new Promise((resolve) => s.signal.addEventListener("abort", () => resolve("half done"))),
        { compensate: note("polite") },
      ),
      c.step("deaf", () => new Promise(() => {}), { compensate: note("deaf") }),
      c.step(
        "strict",
        (s) => new Promise((_, reject) => s.signal.addEventListener("abort", () => reject(s.signal.reason))),
        { compensate: note("strict") },
      ),
    ];
    await Promise.race([...running, c.sleep(10)]);
    throw new Error("over");
  });
  assert.equal(errorOf(instance).message, "over");
  assert.deepEqual(deeds, [
    ["strict", undefined],
    ["deaf", undefined],
    ["polite", "half done"],
  ]);
  assert.ok(instance.ids.includes("!drain"), "the deaf one was not waited for any longer");
});

test("a crash while bodies are being stopped comes to the same compensations", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const undone: string[] = [];
    const { instance } = await enact(
      async (_, c) => {
        const stoppable = (s: { signal: AbortSignal }) =>
          new Promise<void>((_, reject) => s.signal.addEventListener("abort", () => reject(s.signal.reason)));
        const both = ["x", "y"].map((name) => c.step(name, stoppable, { compensate: () => void undone.push(name) }));
        await Promise.race([...both, c.sleep(10)]);
        throw new Error("over");
      },
      { rng: rngOf(seed), crashes: 0.15 },
    );
    assert.equal(errorOf(instance).message, "over");
    assert.deepEqual(
      undone.filter((name, index) => name !== undone[index - 1]),
      ["y", "x"],
      `seed ${seed}`,
    );
  }
});

test("branches of a failed workflow make no durable calls any more", async () => {
  const told: unknown[] = [];
  const ran: string[] = [];
  const { instance } = await enact(async (_, c) => {
    c.compensate("undo", async () => void ran.push("undo"));
    const branch = async (): Promise<void> => {
      await c.sleep(5);
      await c.step("zombie", () => ran.push("zombie")).catch(() => {});
    };
    c.compensate("slow", (s) => s.attempt > 1 || Promise.reject(new Error("again")), { retry: { backoff: 10 } });
    await Promise.all([
      branch().catch((error) => told.push(error)),
      c.step("fails", () => Promise.reject(new FatalError("no"))),
    ]);
  });
  assert.equal(errorOf(instance).message, "no");
  assert.deepEqual(ran, ["undo"]);
  assert.ok(told[0] instanceof ContextError);
  assert.match((told[0] as Error).message, /step\("zombie"\) was called after the workflow function had failed/);
});

test("an output that can't be stored fails the instance, so it compensates", async () => {
  const deeds: Deeds = [];
  const { instance } = await enact(async (_, c) => {
    await c.step("a", () => 1, { compensate: () => void deeds.push("a") });
    return { go: () => 1 };
  });
  assert.match(errorOf(instance).message, /output\.go is a function/);
  assert.deepEqual(deeds, ["a"]);
});

test("steps don't nest in compensations; keys and scopes give each undo an id of its own", async () => {
  const told: string[] = [];
  const nest = (): void => {
    try {
      void step("inner", () => 1);
    } catch (error) {
      told.push((error as Error).message);
    }
  };
  const { instance } = await enact(async (_, c) => {
    await c.step("a", () => 1, { key: "k 1", compensate: () => {} });
    await c.step("a", () => 1, { compensate: () => {} });
    await c.step("a", () => 1, { compensate: () => {} });
    await c.scope("s", (inner) => inner.step("a", () => 1, { compensate: nest }));
    c.compensate("a", () => {});
    throw new Error("x");
  });
  const undos = (i: WorldInstance): string[] => i.ids.filter((id) => id.includes("!undo"));
  assert.deepEqual(undos(instance), ["a!undo~3", "s.a!undo", "a!undo~2", "a!undo", "a(k*201)!undo"]);
  assert.equal(told.length, 1);
  assert.match(told[0] ?? "", /step\("inner"\) was called in the body of step "a \(compensation\)"; steps don't nest/);
});

test("a test kit's hook tells the undo from its step by the name", async () => {
  const seen: string[] = [];
  const hooks = {
    body: ({ id, name }: { id: string; name: string }, body: (s: never) => unknown) => {
      seen.push(`${name} ${id}`);
      return body as (s: unknown) => unknown;
    },
  };
  await enact(
    async (_, c) => {
      await c.step("a", () => 1, { key: 1, compensate: () => {} });
      await c.step("a", () => 1, { compensate: () => {} });
      await c.sendSignal("x", "hi", 1);
      throw new Error("x");
    },
    { settings: { hooks } },
  );
  assert.deepEqual(seen, ["a a(1)", "a a", "hi!send hi!send", "a!undo a!undo", "a!undo a(1)!undo"]);
});
