import assert from "node:assert/strict";
import { test } from "node:test";
import { Ledger } from "./ledger.ts";

test("what is gone, what is torn and what was only tried are told apart", async () => {
  const ledger = new Ledger(2, 256, "x");
  for (let round = 0; round < 3; round++) {
    for (const lane of [0, 1]) ledger.answered(lane, ledger.next(lane), undefined);
  }
  ledger.next(0);
  const stored = (lane: number, number: number) => Promise.resolve(ledger.state(lane, number));
  assert.deepEqual(await ledger.verify(stored), { checked: 6, lost: 0, torn: 0 });
  const none = () => Promise.resolve(undefined);
  assert.deepEqual(await ledger.verify(none), { checked: 6, lost: 6, torn: 0 });
  const half = (lane: number, number: number) => Promise.resolve(ledger.state(lane, number).subarray(0, 128));
  assert.deepEqual(await ledger.verify(half), { checked: 6, lost: 0, torn: 7 });
  const other = (lane: number, number: number) => Promise.resolve(ledger.state(1 - lane, number));
  assert.deepEqual(await ledger.verify(other), { checked: 6, lost: 0, torn: 7 });
});

test("a checkpoint that is found with other bytes is torn at once", async () => {
  const ledger = new Ledger(1, 256, "x");
  const number = ledger.next(0);
  ledger.answered(0, number, new Uint8Array(256));
  const stored = (lane: number, seq: number) => Promise.resolve(ledger.state(lane, seq));
  assert.deepEqual(await ledger.verify(stored), { checked: 1, lost: 0, torn: 1 });
});
