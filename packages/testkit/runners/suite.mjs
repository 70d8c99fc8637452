// The same tests for every runner: what `test` is called with is all that differs.
import assert from "node:assert/strict";
import { sleep, step, waitFor, workflow } from "@runtara/sdk";
import { createTest, everyCrash, randomSchedules, replay } from "@runtara/testkit";

const trial = workflow("trial", async (name) => {
  const greeting = await step("greet", () => ({ text: `Hello, ${name}`, at: new Date(0), seen: new Map([["a", 1n]]) }));
  const flaky = await step("flaky", (s) => {
    if (s.attempt < 3) throw new TypeError("busy");
    return s.attempt;
  });
  const plan = await waitFor("plan", { timeout: "14d" });
  await sleep("rest", "2d");
  return { greeting, flaky, plan };
});

/** A test with a runtime of its own, which is closed behind it. */
const within = (options, run) => async () => {
  const rt = await createTest({ workflows: [trial], ...options });
  try {
    await run(rt);
  } finally {
    await rt.close();
  }
};

export function suite(test) {
  test(
    "a clock that skips",
    within({}, async (rt) => {
      const handle = await rt.start(trial, "Ada");
      await rt.advance("17d");
      const { greeting, flaky, plan } = await handle.result();
      assert.equal(greeting.text, "Hello, Ada");
      assert.ok(greeting.at instanceof Date && greeting.seen instanceof Map);
      assert.deepEqual([flaky, plan], [3, undefined]);
    }),
  );

  test(
    "signals, fakes, crashes, steps",
    within({ seed: 1 }, async (rt) => {
      rt.fake("flaky", () => 9);
      rt.crashAfter("greet");
      const handle = await rt.start(trial, "Bob");
      await rt.advance("1h");
      await rt.crash();
      await handle.signal("plan", "team");
      await rt.advance("2d");
      assert.deepEqual([(await handle.result()).flaky, (await handle.result()).plan], [9, "team"]);
      assert.deepEqual(
        (await rt.steps(handle)).map(({ id }) => id),
        ["greet", "flaky"],
      );
      assert.equal((await replay(trial, handle.history())).ok, true);
    }),
  );

  test("a crash at every commit", async () => {
    const { crashes, boundaries } = await everyCrash(trial, "Eve");
    assert.ok(crashes > 2 * boundaries && boundaries > 4);
  });

  test(
    "a result that can not come is explained",
    within({}, async (rt) => {
      await assert.rejects(rt.run(trial, "Ada"), /the clock of the test stands still/);
    }),
  );

  test("planted faults are found", async () => {
    let effects = 0;
    const faulty = workflow("faulty", async () => {
      await step("add", () => {
        effects += 1;
      });
      return step("look", () => effects);
    });
    const reset = () => {
      effects = 0;
    };
    await assert.rejects(everyCrash(faulty, undefined, { reset }), { name: "AssertionError" });
    const race = workflow("race", async () => Promise.race([step("a", () => "a"), step("b", () => "b")]));
    await assert.rejects(randomSchedules(race, undefined, { allowAbandoned: true }), { name: "AssertionError" });
  });
}
