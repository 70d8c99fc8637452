import assert from "node:assert/strict";
import { test } from "node:test";
import { Outage } from "./outage.ts";

const bounds = { delayMsMin: 50, delayMsMax: 400, patienceMs: 1_000 };

test("attempts get rarer up to the bound and a success forgets that", () => {
  const outage = new Outage(bounds);
  assert.deepEqual(outage.advise(0, false), { kind: "try" });
  let nowMs = 0;
  const delays: number[] = [];
  for (let attempt = 0; attempt < 5; attempt++) {
    outage.failed(nowMs);
    const advice = outage.advise(nowMs, false);
    if (advice.kind !== "wait") break;
    delays.push(advice.forMs);
    nowMs += advice.forMs;
    assert.deepEqual(outage.advise(nowMs, false), { kind: "try" });
  }
  assert.deepEqual(delays, [50, 100, 200, 400, 400]);
  outage.succeeded();
  outage.failed(nowMs);
  assert.deepEqual(outage.advise(nowMs, true), { kind: "wait", forMs: 50 });
});

test("uses wait while the outage is young; in an old one they fail at once unless an attempt is due", () => {
  const outage = new Outage(bounds);
  outage.failed(0);
  assert.equal(outage.advise(0, true).kind, "wait");
  outage.failed(999);
  assert.equal(outage.advise(999, true).kind, "wait");
  assert.equal(outage.advise(1_000, true).kind, "fail");
  assert.equal(outage.advise(1_000, false).kind, "fail");
  assert.equal(outage.advise(1_099, false).kind, "try");
  assert.equal(outage.advise(1_099, true).kind, "fail");
});
