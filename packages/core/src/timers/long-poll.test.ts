import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CoreError } from "../core-error.ts";
import { limits } from "../limits.ts";
import { LongPoll } from "./long-poll.ts";
import { FakeClock } from "./testing/fake-clock.ts";

function open(clock: FakeClock, waitMs = 0) {
  const answers: string[] = [];
  const poll = new LongPoll<string>({
    clock,
    waitMs,
    empty: () => "empty",
    answer: (error, response) => answers.push(error?.code ?? response ?? ""),
    onOver: () => answers.push("over"),
  });
  return { poll, answers };
}

test("whatever happens, a poll is over once and answered at most once, and leaves no timer", async () => {
  const step = fc.constantFrom("respond", "fail", "end", "abandon", "busy", "idle", "pass");
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      const clock = new FakeClock();
      const { poll, answers } = open(clock, 100);
      for (const name of steps) {
        if (name === "respond") poll.respond("news");
        else if (name === "fail") poll.fail(CoreError.validation("x", "no"));
        else if (name === "end") poll.end();
        else if (name === "abandon") poll.abandon();
        else if (name === "pass") await clock.pass(100);
        else poll.busy = name === "busy";
      }
      poll.busy = false;
      await clock.pass(100);
      assert.equal(poll.isOpen, false);
      assert.equal(answers.filter((answer) => answer === "over").length, 1);
      assert.equal(answers[0], "over");
      assert.ok(answers.length <= 2);
      if (!steps.includes("abandon")) assert.equal(answers.length, 2);
      assert.equal(clock.pending, 0);
    }),
    { numRuns: 200 },
  );
});

test("while its result is awaited, an end waits for it", () => {
  const { poll, answers } = open(new FakeClock());
  poll.busy = true;
  poll.end();
  assert.deepEqual([poll.isOpen, poll.isWaiting, answers], [true, false, []]);
  poll.respond("news");
  assert.deepEqual(answers, ["over", "news"]);
});

test("waits are bounded: 0 means the default, and more than the longest means that", async () => {
  const clock = new FakeClock();
  const unset = open(clock);
  const long = open(clock, 1e12);
  await clock.pass(limits.pollWaitMs);
  assert.deepEqual([unset.poll.isOpen, long.poll.isOpen], [false, true]);
  await clock.pass(limits.pollWaitMsMax - limits.pollWaitMs);
  assert.equal(long.poll.isOpen, false);
});
