import assert from "node:assert/strict";
import { test } from "node:test";
import { createTest, everyCrash } from "@runtara/testkit";
import { approval, type Expense } from "./approval.ts";

const expense: Expense = { employee: "eve", cents: 12_300, askedInTurn: ["ann", "bob"] };

test("who is asked first and answers decides", async () => {
  await using rt = await createTest({ workflows: [approval] });
  const mails: string[] = [];
  rt.fake("ask", (s) => mails.push(s.checkpointId));
  rt.fake("tell", (s) => mails.push(s.checkpointId));
  const handle = await rt.start(approval, expense);
  await rt.advance("3h");
  assert.equal(await handle.published("waitingFor"), "ann");
  assert.deepEqual((await handle.status()).waitingFor, ["decision"]);
  await handle.signal("decision", { by: "ann", approved: true });
  assert.deepEqual(await handle.result(), { approved: true, by: "ann" });
  assert.deepEqual(mails, ["ask(ann)", "tell"]);
});

test("after a day without an answer the next one is asked, and after two nobody is", async () => {
  await using rt = await createTest({ workflows: [approval] });
  rt.fake("ask", () => undefined);
  rt.fake("tell", () => undefined);
  const handle = await rt.start(approval, expense);
  await rt.advance("1d");
  assert.equal(await handle.published("waitingFor"), "bob");
  await rt.advance("1d");
  assert.deepEqual(await handle.result(), { approved: false, by: undefined });
});

test("a crash anywhere changes nothing, while the decision comes late on the second day", async () => {
  await everyCrash(approval, expense, {
    async drive(rt, handle) {
      rt.fake("ask", () => undefined);
      rt.fake("tell", () => undefined);
      await rt.advance("30h");
      await handle.signal("decision", { by: "bob", approved: false });
      await rt.idle();
    },
  });
});
