import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SettleFacts } from "./facts.ts";
import { bytes, ended, row, running, suspended } from "./rows.test.helper.ts";
import { decideSettle } from "./settle.ts";

const at = { nowMs: 4_000 };
const child = ended({ instanceId: "c", parentId: "p", resultSignal: "done", unsettled: true });
const facts: SettleFacts = {
  output: bytes("1"),
  error: null,
  failure: null,
  parent: running({ instanceId: "p" }),
  told: false,
  signalId: 12,
  children: [],
  moreChildren: false,
};

describe("decideSettle", () => {
  it("tells the parent the result, once", () => {
    const { changes, others, result } = decideSettle(at, child, facts);
    assert.deepEqual([result, changes?.row?.unsettled], [{ more: false }, false]);
    assert.deepEqual(
      others.map(({ changes: { queuePut }, instanceId }) => [instanceId, queuePut]),
      [
        [
          "p",
          {
            signalId: 12,
            name: "done",
            messageId: "child:c",
            payload: Buffer.from('{"status":"completed","output":1}'),
          },
        ],
      ],
    );
    assert.equal(others[0]?.changes.row?.queuedSignals, 1);
    assert.deepEqual(decideSettle(at, child, { ...facts, told: true }).others, []);
  });

  it("wakes a parent that waits for it", () => {
    const parent = suspended("waiting", { instanceId: "p", waitingFor: ["done"] });
    const { others } = decideSettle(at, child, { ...facts, parent });
    assert.equal(others[0]?.changes.row?.readyAtMs, 4_000);
    assert.ok(others[0]?.changes.notices?.includes("work"));
  });

  it("tells nobody where there is nobody to tell", () => {
    const parents = [undefined, ended({ instanceId: "p" })];
    for (const parent of parents) assert.deepEqual(decideSettle(at, child, { ...facts, parent }).others, []);
    assert.deepEqual(decideSettle(at, { ...child, resultSignal: null }, facts).others, []);
  });

  it("asks attached children to cancel as an operator would", () => {
    const children = [
      row({ instanceId: "a" }),
      running({ instanceId: "b" }),
      suspended("paused", { instanceId: "d" }),
      running({ instanceId: "e", detached: true }),
      ended({ instanceId: "f" }),
      running({ instanceId: "g", pendingSignal: "cancel" }),
    ];
    const { others, result } = decideSettle(
      at,
      { ...child, parentId: null, childCount: 4 },
      { ...facts, parent: undefined, children },
    );
    assert.deepEqual(
      others.map(({ changes: { row: after }, instanceId }) => [
        instanceId,
        after?.status,
        after?.pendingSignal,
        after?.readyAtMs,
      ]),
      [
        ["a", "cancelled", null, null],
        ["b", "running", "cancel", null],
        ["d", "suspended", "cancel", 4_000],
      ],
    );
    assert.deepEqual(result, { more: false });
  });

  it("says that there is more after a new end with effects, and while children are left", () => {
    const family = row({ instanceId: "a", childCount: 1 });
    assert.deepEqual(decideSettle(at, child, { ...facts, children: [family] }).result, { more: true });
    const { changes, result } = decideSettle(at, child, { ...facts, moreChildren: true });
    assert.deepEqual([result, changes], [{ more: true }, undefined]);
  });

  it("does nothing about what is settled", () => {
    assert.deepEqual(decideSettle(at, { ...child, unsettled: false }, facts), {
      result: { more: false },
      changes: undefined,
      others: [],
    });
  });
});
