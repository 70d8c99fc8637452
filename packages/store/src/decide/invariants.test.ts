import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import fc from "fast-check";
import { isFinal } from "../lifecycle/transition.ts";
import type { Operation } from "../operations/index.ts";
import { anyCalls, type EpochChoice } from "./any-operation.test.helper.ts";
import { noticesOf } from "./notices.ts";
import { OneInstance, type Step } from "./one-instance.test.helper.ts";
import type { InstanceRow } from "./row.ts";

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const numRuns = Number(process.env.RUNS ?? 1_000);

/** What the store held before a call. */
interface Picture {
  readonly row: InstanceRow | undefined;
  readonly pendingPayload: Uint8Array | null;
  readonly checkpoints: ReadonlyMap<string, Uint8Array>;
  readonly signals: number;
}

function pictureOf(store: OneInstance): Picture {
  return {
    row: store.row,
    pendingPayload: store.pendingPayload,
    checkpoints: new Map(store.checkpoints),
    signals: store.queue.length + store.slots.size,
  };
}

function epochOf(choice: EpochChoice, row: InstanceRow | undefined): number | undefined {
  if (choice === "none") return undefined;
  return choice === "present" ? (row?.epoch ?? 0) : Math.max(0, (row?.epoch ?? 0) - 1);
}

/** Runs the calls one after another and shows each to `look`. */
function play(
  calls: typeof anyCalls extends fc.Arbitrary<infer Calls> ? Calls : never,
  look: (before: Picture, operation: Operation, step: Step, store: OneInstance) => void,
): void {
  const store = new OneInstance();
  let nowMs = 1_000;
  for (const { afterMs, epoch, template } of calls) {
    nowMs += afterMs;
    const operation = template(epochOf(epoch, store.row), nowMs);
    const picture = pictureOf(store);
    look(picture, operation, store.run(operation), store);
  }
}

function check(look: Parameters<typeof play>[1]): void {
  fc.assert(
    fc.property(anyCalls, (calls) => play(calls, look)),
    { seed, numRuns },
  );
}

function outcomeOf({ result }: Step): string | undefined {
  return typeof result === "object" && result !== null && "outcome" in result ? String(result.outcome) : undefined;
}

describe("decisions about one instance, in any order", () => {
  before(() => console.log(`SEED=${seed}`));

  it("I4: what has ended stays as it has ended", () => {
    check(({ row }, _operation, _step, store) => {
      if (row === undefined || !isFinal(row.status)) return;
      const { epoch, finishedAtMs, reason, status } = store.row ?? {};
      assert.deepEqual(
        { epoch, finishedAtMs, reason, status },
        { epoch: row.epoch, finishedAtMs: row.finishedAtMs, reason: row.reason, status: row.status },
      );
    });
  });

  it("I5: the epoch never shrinks, grows with every life, and a fenced call changes nothing", () => {
    check(({ row }, operation, step, store) => {
      assert.ok((store.row?.epoch ?? 0) >= (row?.epoch ?? 0));
      if (step.changes?.events?.some(({ type }) => type === "started") === true) {
        assert.equal(store.row?.epoch, (row?.epoch ?? 0) + 1);
      }
      const isOld = "epoch" in operation && operation.epoch !== undefined && operation.epoch !== row?.epoch;
      if (isOld && row !== undefined && operation.kind !== "beginSleep" && operation.kind !== "endSleep") {
        assert.equal(outcomeOf(step), "fenced");
      }
      if (isOld) assert.equal(step.changes, undefined);
    });
  });

  it("I6: a pending cancel keeps its place and its payload until it is acknowledged or the instance begins anew", () => {
    check(({ pendingPayload, row }, _operation, step, store) => {
      if (row?.pendingSignal !== "cancel" || step.changes?.pending === "acknowledged") return;
      assert.equal(store.row?.pendingSignal, "cancel");
      assert.equal(store.pendingPayload, pendingPayload);
    });
  });

  it("I6: custom signals go with the transaction that answers or records them, and with no other", () => {
    check(({ signals }, operation, step, store) => {
      const waiting = store.queue.length + store.slots.size;
      if (waiting < signals) {
        assert.ok(["saveCheckpoint", "saveBatch", "pollSignals"].includes(operation.kind), operation.kind);
        assert.equal(step.changes?.signalsTaken?.length, signals - waiting);
      }
      assert.equal(store.row?.queuedSignals ?? 0, store.queue.length);
    });
  });

  it("I2, I3: a checkpoint never changes, and all are counted", () => {
    check(({ checkpoints }, _operation, _step, store) => {
      for (const [checkpointId, state] of checkpoints) assert.equal(store.checkpoints.get(checkpointId), state);
      assert.equal(store.row?.checkpointCount ?? 0, store.checkpoints.size);
    });
  });

  it("I10: a refusal changes nothing", () => {
    const refusals = new Set([
      "refused",
      "fenced",
      "unknownInstance",
      "conflict",
      "runMismatch",
      "notYet",
      "notPending",
      "cancelKept",
      "duplicate",
      "checkpointMissing",
    ]);
    check((_before, _operation, step) => {
      if (refusals.has(outcomeOf(step) ?? "")) assert.equal(step.changes, undefined);
    });
  });

  it("I8: columns fit the status, so nothing waits for what cannot come", () => {
    check((_before, operation, _step, { row }) => {
      if (row === undefined) return;
      const what = `${operation.kind}: ${row.status} ${row.reason} of epoch ${row.epoch}`;
      if (row.holder !== null) assert.equal(row.status, "running", what);
      assert.equal(row.holder === null, row.claimSequence === null, what);
      if (row.readyAtMs !== null) assert.ok(row.status === "pending" || row.status === "suspended", what);
      if (row.status === "pending" && row.workflow !== null) assert.notEqual(row.readyAtMs, null, what);
      if (row.reason === "handedBack") assert.notEqual(row.readyAtMs, null, what);
      if (row.reason === "sleeping") assert.notEqual(row.readyAtMs, null, what);
      if (row.dueAtMs !== null) assert.equal(row.status, "running", what);
      if (row.waitingFor.length > 0) assert.equal(row.reason, "waiting", what);
      assert.equal(row.finishedAtMs !== null, isFinal(row.status), what);
      assert.equal(row.startedAtMs === null, row.epoch === 0 || row.firstStartedAtMs === null, what);
      if (row.recordedSignal !== null) assert.equal(row.recordedSignal, row.pendingSignal, what);
      if (row.status === "running" && row.timeoutMs !== null) assert.notEqual(row.dueAtMs, null, what);
    });
  });

  it("counts running time upwards and only while it runs", () => {
    check(({ row }, _operation, step, store) => {
      const used = (store.row?.usedMs ?? 0) - (row?.usedMs ?? 0);
      assert.ok(used >= 0);
      if (row?.status !== "running") assert.equal(used, 0);
      else if (used > 0) assert.equal(used, (step.changes?.atMs ?? 0) - (row.startedAtMs ?? 0));
    });
  });

  it("tells watchers of what they would see: `changes` grows with it, and a notice goes out", () => {
    check(({ row }, _operation, { changes }, store) => {
      if (row === undefined || store.row === undefined || store.row === row || changes === undefined) return;
      const seen = (some: InstanceRow): unknown[] => [
        some.status,
        some.reason,
        some.readyAtMs,
        some.holder,
        some.run,
        some.finishedAtMs,
      ];
      const differs = JSON.stringify(seen(row)) !== JSON.stringify(seen(store.row));
      if (!differs) return;
      assert.ok(store.row.changes > row.changes);
      const notice = noticesOf(changes, row.instanceId).find(({ topic }) => topic === "instance");
      assert.ok(notice !== undefined);
      const wakes =
        store.row.readyAtMs !== null && store.row.readyAtMs !== row.readyAtMs && store.row.workflow !== null;
      if (wakes) assert.ok(noticesOf(changes, row.instanceId).some(({ topic }) => topic === "work"));
    });
  });

  it("tells a worker that has lost an instance, and nobody else", () => {
    check(({ row }, operation, step, store) => {
      const holder = row?.holder ?? null;
      if (holder === null || store.row?.holder === holder) return;
      const byItself = ["appendEvent", "suspendUntil", "acknowledgeSignal", "releaseWork"].includes(operation.kind);
      assert.equal(step.changes?.lostBy, byItself ? undefined : holder);
    });
  });

  it("reaches every status, so that the properties above look at something", () => {
    const reached = new Map<string, number>();
    check((_before, _operation, _step, { row }) => {
      const key = `${row?.status} ${row?.reason}`;
      reached.set(key, (reached.get(key) ?? 0) + 1);
    });
    const all = [
      "pending null",
      "running null",
      "suspended sleeping",
      "suspended waiting",
      "suspended paused",
      "suspended diverged",
    ];
    const rest = [
      "suspended lost",
      "suspended handedBack",
      "suspended null",
      "completed reported",
      "failed reported",
      "failed timeout",
    ];
    for (const key of [...all, ...rest, "cancelled killed", "cancelled cancelled"]) assert.ok(reached.has(key), key);
  });
});
