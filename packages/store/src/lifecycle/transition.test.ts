import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { instanceStatuses, type StatusReason, signalTypes, statusReasons } from "../model.ts";
import { rules } from "./rules.ts";
import { type LifecycleEvent, type LifecycleState, lifecycleEvents, type Outcome } from "./table.ts";
import { acceptingStatuses, fits, isFinal, transition } from "./transition.ts";

const reasons: readonly (StatusReason | null)[] = [null, ...statusReasons];
const states: readonly LifecycleState[] = instanceStatuses.flatMap((status) =>
  reasons.flatMap((reason) =>
    [true, false].flatMap((claimable) => [
      { status, reason, claimable, pending: null, recorded: false },
      ...signalTypes.flatMap((pending) =>
        [true, false].map((recorded) => ({ status, reason, claimable, pending, recorded })),
      ),
    ]),
  ),
);
const every: readonly { readonly state: LifecycleState; readonly event: LifecycleEvent }[] = states.flatMap((state) =>
  lifecycleEvents.map((event) => ({ state, event })),
);

function state(over: Partial<LifecycleState>): LifecycleState {
  return { status: "running", reason: null, claimable: true, pending: null, recorded: false, ...over };
}

function targetOf(outcome: Outcome): string {
  return typeof outcome === "string" ? outcome : outcome.to;
}

describe("lifecycle table", () => {
  it("is total: every event in every state has a line", () => {
    assert.equal(every.length, 6 * 12 * 2 * 7 * lifecycleEvents.length);
    for (const one of every) assert.doesNotThrow(() => transition(one.state, one.event));
  });

  it("has no line that never counts", () => {
    const counting = new Set(
      every.map(({ state: present, event }) => rules.find((rule) => rule.on === event && fits(rule, present))),
    );
    assert.deepEqual(
      rules.filter((rule) => !counting.has(rule)),
      [],
    );
  });

  it("I4: leads out of no final status, and begins, arms or readies nothing there", () => {
    for (const one of every.filter(({ state: { status } }) => isFinal(status))) {
      const outcome = transition(one.state, one.event);
      if (typeof outcome === "string") continue;
      assert.deepEqual({ to: outcome.to, reason: outcome.reason }, { to: one.state.status, reason: one.state.reason });
      assert.ok(
        outcome.effects.every((effect) => effect === "acknowledge"),
        `${one.event} in ${one.state.status}: ${outcome.effects.join()}`,
      );
    }
  });

  it("treats the three final statuses alike", () => {
    for (const one of every.filter(({ state: { status } }) => status === "completed")) {
      const outcomes = (["completed", "failed", "cancelled"] as const).map((status) => {
        const outcome = transition({ ...one.state, status }, one.event);
        return typeof outcome === "string" ? outcome : outcome.effects.join();
      });
      assert.equal(new Set(outcomes).size, 1, one.event);
    }
  });

  it("I8: kill ends whatever has not ended, and fences its process", () => {
    for (const present of states.filter(({ status }) => !isFinal(status))) {
      const outcome = transition(present, "kill");
      assert.ok(typeof outcome === "object" && outcome.to === "cancelled" && outcome.effects.includes("fence"));
    }
  });

  it("I8: a resume makes every suspended instance that a worker can wake ready", () => {
    for (const present of states.filter(({ status, claimable }) => status === "suspended" && claimable)) {
      const outcome = transition(present, "requestResume");
      assert.ok(typeof outcome === "object" && outcome.to === "suspended" && outcome.reason === null);
      assert.ok(outcome.effects.includes("ready"));
    }
  });

  it("I8: time or a worker brings every running instance out of it, held or not", () => {
    for (const present of states.filter(({ status }) => status === "running")) {
      for (const event of ["timeOut", "loseTrack", "leaseEnded", "release"] as const) {
        assert.notEqual(targetOf(transition(present, event)), "running", event);
      }
      if (present.claimable) assert.equal(targetOf(transition(present, "claim")), "running");
    }
  });

  it("claims only what has a workflow, and neither claims nor registers what has ended", () => {
    for (const present of states) {
      const claimed = targetOf(transition(present, "claim"));
      assert.equal(claimed, present.claimable && !isFinal(present.status) ? "running" : "refused");
      assert.equal(targetOf(transition(present, "register")), isFinal(present.status) ? "refused" : "running");
    }
  });

  it("sets finished time, holder and ready time as the status says", () => {
    for (const one of every) {
      const outcome = transition(one.state, one.event);
      if (typeof outcome === "string" || outcome.to === one.state.status) continue;
      assert.equal(outcome.effects.includes("end"), isFinal(outcome.to), one.event);
      assert.equal(outcome.effects.includes("begin"), outcome.to === "running", one.event);
      if (one.state.status === "running") assert.ok(outcome.effects.includes("letGo"), one.event);
    }
  });

  it("gives every change of reason a status that has such a reason", () => {
    const ofSuspended = new Set(["sleeping", "waiting", "paused", "diverged", "lost", "handedBack", null]);
    const ofEnded = new Set(["reported", "timeout", "killed", "cancelled", "exited"]);
    for (const rule of rules) {
      if (typeof rule.outcome === "string" || rule.outcome.to === "same") continue;
      const { to, reason } = rule.outcome;
      if (to === "suspended") assert.ok(ofSuspended.has(reason), rule.on);
      else if (isFinal(to)) assert.ok(reason !== null && ofEnded.has(reason), rule.on);
      else assert.equal(reason, null, rule.on);
    }
  });

  it("R5: an exit with an unacknowledged cancel ends cancelled, unless its history has it", () => {
    for (const event of ["suspend", "suspendPaused", "suspendDiverged", "loseTrack"] as const) {
      assert.equal(targetOf(transition(state({ pending: "cancel" }), event)), "cancelled", event);
      assert.equal(targetOf(transition(state({ pending: "cancel", recorded: true }), event)), "suspended", event);
    }
  });

  it("R5: a hand-back and the end of a lease leave a pending cancel to the next worker", () => {
    for (const event of ["release", "leaseEnded"] as const) {
      const outcome = transition(state({ pending: "cancel" }), event);
      assert.ok(typeof outcome === "object" && outcome.to === "suspended" && outcome.effects.includes("ready"));
      assert.ok(!outcome.effects.includes("acknowledge"));
    }
  });

  it("R5: only a named signal to a waiting one wakes by itself; paused and diverged need a resume or a cancel", () => {
    for (const reason of reasons) {
      const outcome = transition(state({ status: "suspended", reason }), "signalArrived");
      assert.equal(
        typeof outcome === "object" && outcome.effects.includes("ready"),
        reason === "waiting",
        String(reason),
      );
    }
  });

  it("names the statuses in which nothing is refused", () => {
    assert.deepEqual(acceptingStatuses("save"), ["running"]);
    assert.deepEqual(acceptingStatuses("register"), ["pending", "running", "suspended"]);
    assert.deepEqual(acceptingStatuses("complete"), instanceStatuses);
    assert.deepEqual(acceptingStatuses("acknowledgeCancel"), []);
  });
});
