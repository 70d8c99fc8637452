import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RemoveOld } from "@runtara/store";
import { type CreateHarness, type More, useStore } from "./harness.ts";
import { same } from "./values.ts";

export function describeRetention(createHarness: CreateHarness): void {
  describe("retention", () => {
    const t = useStore(createHarness);
    const remove = (more: More<RemoveOld>) => t.run({ kind: "removeOld", limit: 1_000, nowMs: 1_000_000, ...more });
    const removed = (more: object) => ({
      outcome: "removed",
      instances: 0,
      events: 0,
      checkpoints: 0,
      more: false,
      ...more,
    });
    const unknown = { outcome: "unknownInstance" };
    const exists = async (instanceId: string) =>
      (await t.run({ kind: "readInstance", instanceId })).outcome === "found";
    /** Two checkpoints, a retry record, three events; ended at 100. */
    const ended = async (id: string, atMs = 100) => {
      await t.register(id, { nowMs: 1 });
      await t.save(id, "a", "x", { nowMs: 10 });
      await t.save(id, "b", "x", { nowMs: 50 });
      await t.run({ kind: "recordRetry", instanceId: id, checkpointId: "k", attempt: 1, nowMs: 20 });
      await t.event(id, "heartbeat", { nowMs: 30 });
      await t.event(id, "completed", { nowMs: atMs });
    };

    test("what is absent is kept", async () => {
      await ended("i");
      same(await remove({}), removed({}));
      same((await t.history("i")).length, 6);
    });

    test("checkpoints and retry records saved before, of ended instances only", async () => {
      await ended("i");
      await t.register("running");
      await t.save("running", "a", "x", { nowMs: 1 });
      same(await remove({ checkpointsBeforeMs: 50 }), removed({ checkpoints: 2 }));
      same(await t.load("i", "a"), { outcome: "missing" });
      same((await t.load("i", "b")).outcome, "found");
      same(await t.load("i", "k::retry::1"), { outcome: "missing" });
      same((await t.load("running", "a")).outcome, "found");
      same(await remove({ checkpointsBeforeMs: 50 }), removed({}));
    });

    test("a checkpoint alone, just saved, of an instance that just ended", async () => {
      await t.register("i", { nowMs: 1 });
      await t.save("i", "a", "x", { nowMs: 10 });
      await t.event("i", "completed", { nowMs: 11 });
      same(await remove({ checkpointsBeforeMs: 10 }), removed({}));
      same(await remove({ checkpointsBeforeMs: 11 }), removed({ checkpoints: 1 }));
      same(await t.load("i", "a"), { outcome: "missing" });
    });

    test("events received before, of ended instances only", async () => {
      await ended("i");
      await t.register("running", { nowMs: 1 });
      same(await remove({ eventsBeforeMs: 100 }), removed({ events: 2 }));
      same(
        (await t.events("i")).map(({ type }) => type),
        ["completed"],
      );
      same((await t.events("running")).length, 1);
    });

    test("instances that ended before, with everything of them; others stay", async () => {
      await ended("old", 100);
      await ended("young", 101);
      await t.register("running", { nowMs: 1 });
      await t.start("pending", { nowMs: 1 });
      await t.send("running", "n", "x", { nowMs: 1 });
      same(await remove({ instancesEndedBeforeMs: 101 }), removed({ instances: 1, events: 3, checkpoints: 3 }));
      same(await t.run({ kind: "readInstance", instanceId: "old" }), unknown);
      for (const id of ["young", "running", "pending"]) assert.ok(await exists(id), id);
      same(await t.run({ kind: "listCheckpoints", instanceId: "old", limit: 9 }), {
        outcome: "page",
        checkpoints: [],
        total: 0,
      });
      same((await t.register("old")).outcome, "registered", "a new life of this id");
      same((await t.read("old")).checkpointCount, 0);
      same((await t.history("old")).length, 1);
    });

    test("in slices: at most the limit of rows at once, then again until nothing is left", async () => {
      for (const id of ["a", "b", "c"]) await ended(id);
      let rows = 0;
      for (let calls = 0; ; calls += 1) {
        assert.ok(calls < 50);
        const slice = await remove({ instancesEndedBeforeMs: 1_000, limit: 4 });
        const count = slice.instances + slice.events + slice.checkpoints;
        assert.ok(count <= 4);
        assert.ok(slice.more || count < 4);
        rows += count;
        if (!slice.more) break;
      }
      assert.equal(rows, 21);
      for (const id of ["a", "b", "c"]) same(await exists(id), false);
    });

    test("one whose effects are open, or that is the parent of one that has not ended, is kept whole", async () => {
      await t.register("p", { nowMs: 1 });
      await t.save("p", "a", "x", { nowMs: 1 });
      await t.queue("c", { parent: { instanceId: "p", epoch: 1, detached: true } });
      await t.queue("told", { parent: { instanceId: "p", epoch: 1, resultSignal: "r", detached: true } });
      await t.event("p", "completed", { nowMs: 2 });
      await t.event("told", "completed", { nowMs: 2 });
      const all = { instancesEndedBeforeMs: 1_000, checkpointsBeforeMs: 1_000, eventsBeforeMs: 1_000 };
      same(await remove(all), removed({}));
      await t.settle(5);
      await t.event("c", "completed", { nowMs: 6 });
      await t.settle(7);
      await remove(all);
      for (const id of ["p", "c", "told"]) same(await exists(id), false, id);
    });

    test("a worker is not told of the loss of an instance that is gone", async () => {
      const lost = async () => (await t.run({ kind: "renewLease", workerId: "worker", leaseMs: 1_000, nowMs: 1 })).lost;
      for (const id of ["gone", "kept"]) {
        await t.claimed(id, "worker");
        await t.control(id, "kill", { nowMs: id === "gone" ? 2 : 900 });
      }
      await t.settle(3);
      same(await lost(), ["gone", "kept"]);
      await remove({ instancesEndedBeforeMs: 500 });
      same([await exists("gone"), await exists("kept")], [false, true]);
      same(await lost(), ["kept"]);
    });

    test("a worker whose lease ended a day ago is forgotten", async () => {
      const dayMs = 86_400_000;
      const renew = (nowMs: number) => t.run({ kind: "renewLease", workerId: "worker", leaseMs: 1_000, nowMs });
      await t.claimed("i", "worker");
      await t.control("i", "kill");
      same((await renew(1)).lost, ["i"]);
      await t.run({ kind: "removeOld", limit: 10, nowMs: dayMs });
      same((await renew(1)).lost, ["i"], "its lease ended at 5,001");
      await t.run({ kind: "removeOld", limit: 10, nowMs: dayMs + 5_002 });
      same((await renew(2)).leaseUntilMs, 1_002, "it has no lease from before");
    });

    test("ids of checkpoints and events are not given twice: cursors from before hold", async () => {
      await ended("old");
      await t.register("i");
      const first = await t.run({ kind: "readChanges", instanceId: "i", limit: 10, bytesMax: 10 });
      assert.ok(first.outcome === "changes");
      await remove({ instancesEndedBeforeMs: 1_000 });
      await t.save("i", "a", "x", { nowMs: 5 });
      const next = await t.run({
        kind: "readChanges",
        instanceId: "i",
        limit: 10,
        bytesMax: 10,
        cursor: first.nextCursor,
      });
      assert.ok(next.outcome === "changes");
      same(
        next.entries.map(({ kind }) => kind),
        ["checkpoint"],
      );
    });
  });
}
