import assert from "node:assert/strict";
import { test } from "node:test";
import { createTest, everyCrash, type TestRuntime } from "@runtara/testkit";
import { agent } from "./agent.ts";
import { type Answer, sent } from "./model.ts";

const task = { goal: "Write to the customers who complained", turnsMax: 5 };

/** A model that looks something up, then wants to send a mail, then is content. */
const thoughts: Answer[] = [
  {
    text: "First I look.",
    calls: [
      { tool: "look-up", input: "complained" },
      { tool: "guess", input: "" },
    ],
  },
  { text: "Now I write.", calls: [{ tool: "send-mail", input: "ada@example.com" }] },
  { text: "Done.", calls: [] },
];

function useFakeModel(rt: TestRuntime): void {
  for (const [index, thought] of thoughts.entries())
    rt.fake(index === 0 ? "think" : `think~${index + 1}`, () => thought);
}

test("it works until a person is needed, and goes on when the person allows it", async () => {
  sent.clear();
  await using rt = await createTest({ workflows: [agent] });
  useFakeModel(rt);
  const handle = await rt.start(agent, task);
  await rt.advance("1h");
  assert.equal(await handle.published("asksFor"), "send-mail ada@example.com");
  assert.equal(sent.size, 0);
  await handle.signal("approval", { allowed: true });
  assert.deepEqual(await handle.result(), { text: "Done.", turns: 3 });
  assert.equal(sent.size, 1);
  const transcript = (await handle.published("transcript")) ?? [];
  assert.ok(transcript.some(({ text }) => text === "guess: there is no such tool"));
});

test("a person who says no, or says nothing, is obeyed", async () => {
  sent.clear();
  await using rt = await createTest({ workflows: [agent] });
  useFakeModel(rt);
  const [refused, unanswered] = [await rt.start(agent, task), await rt.start(agent, task)];
  await rt.idle();
  await refused.signal("approval", { allowed: false, comment: "not today" });
  await rt.advance("2d");
  await Promise.all([refused.result(), unanswered.result()]);
  assert.equal(sent.size, 0);
});

test("whatever crashes, no thought is lost and one mail goes out", async () => {
  await everyCrash(agent, task, {
    reset: () => {
      sent.clear();
    },
    async drive(rt, handle) {
      useFakeModel(rt);
      await rt.advance("1m");
      await handle.signal("approval", { allowed: true });
      await rt.advance("1m");
      assert.equal(sent.size, 1);
    },
  });
});
