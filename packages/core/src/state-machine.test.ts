import assert from "node:assert/strict";
import { test } from "node:test";
import { instanceStatuses } from "@runtara/store";
import { acceptingStatuses, isFinal, move, transitionsOf, triggers } from "./index.ts";

const active = ["pending", "running", "suspended"] as const;

test("I4: nothing leads out of a final status", () => {
  for (const status of ["completed", "failed", "cancelled"] as const) {
    assert.ok(isFinal(status));
    for (const trigger of triggers) {
      for (const cancelPending of [false, true]) {
        assert.ok(["refused", "ignored"].includes(move(status, trigger, cancelPending)), `${status} ${trigger}`);
      }
    }
  }
  for (const status of active) assert.ok(!isFinal(status));
});

test("I8: every active status can be ended by a report, a failure and an acknowledged cancel", () => {
  for (const status of active) {
    assert.equal(move(status, "complete", false), "completed");
    assert.equal(move(status, "fail", false), "failed");
    assert.equal(move(status, "acknowledgeCancel", true), "cancelled");
  }
});

test("suspending with an unacknowledged cancel ends as cancelled, without one as suspended", () => {
  for (const status of active) {
    assert.equal(move(status, "suspend", true), "cancelled");
    assert.equal(move(status, "suspend", false), "suspended");
  }
});

test("a cancel ends at once what nobody runs; a running one is told", () => {
  assert.deepEqual(
    active.map((status) => move(status, "requestCancel", false)),
    ["cancelled", "running", "cancelled"],
  );
});

test("only running saves checkpoints; all but the finished register and take signals", () => {
  assert.deepEqual(acceptingStatuses("checkpoint"), ["running"]);
  assert.deepEqual(acceptingStatuses("register"), active);
  assert.deepEqual(acceptingStatuses("requestSignal"), active);
});

test("I4: the transitions handed to a store do exactly what the transition function says", () => {
  for (const trigger of triggers) {
    const transitions = transitionsOf(trigger);
    for (const status of instanceStatuses) {
      for (const cancelPending of [false, true]) {
        const pending = cancelPending ? "cancel" : undefined;
        const first = transitions.find(
          ({ from, whenPending }) => from.includes(status) && (whenPending === undefined || whenPending === pending),
        );
        const to = move(status, trigger, cancelPending);
        const expected = to === "refused" || to === "ignored" ? undefined : to;
        assert.equal(first?.to, expected, `${status} ${trigger} ${cancelPending}`);
        if (first !== undefined) assert.equal(first.ends, isFinal(first.to));
      }
    }
  }
});
