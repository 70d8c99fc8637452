import assert from "node:assert/strict";
import { test } from "node:test";
import { now, random, sleep, step, uuid, workflow } from "@runtara/sdk";
import { everyCrash } from "./index.ts";

test("a sound workflow passes, with branches, waits, retries, time and random numbers", async () => {
  const sound = workflow("sound", async (names: string[]) => {
    const receipts = await Promise.all(names.map((name) => step("charge", () => `${name} paid`, { key: name })));
    await sleep("a while", "3d");
    const flaky = await step("flaky", (s) => {
      if (s.attempt < 3) throw new Error("busy");
      return s.attempt;
    });
    return { receipts, flaky, at: now(), id: uuid(), dice: random() };
  });
  const report = await everyCrash(sound, ["ada", "bob"]);
  assert.ok(report.boundaries >= 6, String(report.boundaries));
  assert.ok(report.crashes >= 2 * report.boundaries, String(report.crashes));
  assert.ok(
    report.runs > 1 + 6 * report.boundaries,
    "singles, the same place twice, the next place, and some by chance",
  );
});

const faults = {
  "a body that changes a variable of the workflow": workflow("faulty", async () => {
    let total = 0;
    for (const cents of [100, 200]) {
      await step("add", () => {
        total += cents;
      });
    }
    return total;
  }),
  "time that is not durable": workflow("faulty", async () => {
    const started = performance.now();
    await step("work", () => undefined);
    return started;
  }),
  "a random number outside of a step": workflow("faulty", async () => {
    const dice = Math.random();
    await step("roll", () => undefined);
    return dice;
  }),
};

for (const [what, faulty] of Object.entries(faults)) {
  test(`it finds ${what}`, async () => {
    await assert.rejects(everyCrash(faulty, undefined, { seed: 5 }), (error: Error) => {
      assert.equal(error.name, "AssertionError");
      assert.match(error.message, /workflow "faulty" ended differently with a crash (before|after) commit/);
      assert.match(error.message, /seed: 5/);
      return true;
    });
  });
}

test("it finds an effect that may not happen twice", async () => {
  let balance = 0;
  const spend = workflow("spend", async () => {
    await step("take", () => {
      balance -= 10;
    });
    return step("look", () => balance);
  });
  const reset = (): void => {
    balance = 100;
  };
  await assert.rejects(everyCrash(spend, undefined, { reset }), /expected: .*completed 90\n.*completed 80/s);
});

test("it finds an await that is missing", async () => {
  const forgetful = workflow("forgetful", async () => {
    void step("mail", () => new Promise((resolve) => setTimeout(resolve, 5)));
    return "done";
  });
  await assert.rejects(everyCrash(forgetful, undefined), /while a step was still running: mail. Is an await missing/);
});

test("it finds an await of what is not durable", async () => {
  const foreign = workflow("foreign", async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return step("after", () => 1);
  });
  await assert.rejects(everyCrash(foreign, undefined), /not durable/);
});

test("a workflow that waits for a signal needs a drive", async () => {
  const patient = workflow("patient", async (_: undefined, ctx) => ctx.waitFor<string>("go"));
  await assert.rejects(everyCrash(patient, undefined), /did not end: it waits for "go", which nobody sends/);
  const { crashes } = await everyCrash(patient, undefined, {
    async drive(rt, handle) {
      await rt.advance("1h");
      await handle.signal("go", "now");
      await rt.idle();
      assert.equal(await handle.result(), "now");
    },
  });
  assert.ok(crashes > 0);
});

test("what the guard has seen stands beside the difference", async () => {
  const clocked = workflow("clocked", async () => {
    const startedAt = Date.now();
    await step("work", () => new Promise((resolve) => setTimeout(resolve, 3)));
    return startedAt;
  });
  await assert.rejects(
    everyCrash(clocked, undefined),
    /ended differently.*warning: .*Date\.now.*every-crash\.test\.ts/s,
  );
});

test("the same seed gives the same crashes and the same verdict", async () => {
  const steps = workflow("steps", async () => {
    for (let count = 0; count < 4; count++) await step("a", () => count);
  });
  const [one, other] = [
    await everyCrash(steps, undefined, { seed: 8 }),
    await everyCrash(steps, undefined, { seed: 8 }),
  ];
  assert.deepEqual(one, other);
  assert.equal((await everyCrash(steps, undefined, { seed: 8, pairs: false })).runs, 1 + 2 * one.boundaries);
});
