import assert from "node:assert/strict";
import { test } from "node:test";
import { createTest } from "@runtara/testkit";
import { putSchedules, report } from "./report.ts";

// A Friday, noon in Berlin.
const startAt = new Date("2026-03-27T11:00:00Z");

test("from Friday to Wednesday three reports are made, at seven by the clock on the wall", async () => {
  await using rt = await createTest({ workflows: [report], startAt });
  const sent: string[] = [];
  rt.fake("send", () => {
    sent.push(new Date(rt.clock.now()).toISOString());
  });
  await putSchedules(rt);
  await putSchedules(rt); // an equal one changes nothing
  await rt.advance("5d");
  // On Sunday the clocks went forward, so seven is five in UTC from then on.
  assert.deepEqual(sent, ["2026-03-30T05:00:00.000Z", "2026-03-31T05:00:00.000Z", "2026-04-01T05:00:00.000Z"]);
});

test("a process that dies at the wrong moment neither drops a report nor makes a second one", async () => {
  await using rt = await createTest({ workflows: [report], startAt });
  let sent = 0;
  rt.fake("send", () => {
    sent += 1;
  });
  await putSchedules(rt);
  rt.crashAfter("collect");
  await rt.advance("3d");
  await rt.crash();
  await rt.advance("1h");
  assert.equal(sent, 1);
  const statuses: string[] = [];
  for await (const { status } of rt.list({ workflow: "report" })) statuses.push(status);
  assert.deepEqual(statuses, ["completed"]);
});
