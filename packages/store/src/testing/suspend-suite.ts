import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sentId } from "./batch-suite.ts";
import { type CreateHarness, useStore } from "./harness.ts";
import { bytes, same } from "./values.ts";

export function describeSuspensions(createHarness: CreateHarness): void {
  describe("suspensions until something happens", () => {
    const t = useStore(createHarness);
    const state = async () => {
      const { status, reason, readyAtMs, waitingFor, holder } = await t.read("i");
      return [status, reason, readyAtMs, waitingFor, holder];
    };

    test("sleeping: only a time; waiting: names, or no time at all; holder and lease are gone, the event is written", async () => {
      await t.claimed("i", "worker");
      same(await t.suspend("i", { untilMs: 100, nowMs: 10 }), { outcome: "suspended" });
      same(await state(), ["suspended", "sleeping", 100, [], null]);
      const { type, subtype, createdAtMs } = (await t.events("i")).at(-1) ?? {};
      same([type, subtype, createdAtMs], ["suspended", "sleeping", 10]);
      await t.register("i");
      same(await t.suspend("i", { epoch: 2, untilMs: 100, names: ["a", "b"], nowMs: 11 }), { outcome: "suspended" });
      same(await state(), ["suspended", "waiting", 100, ["a", "b"], null]);
      await t.register("i");
      same(await t.suspend("i", { epoch: 3, nowMs: 12 }), { outcome: "suspended" });
      same(await state(), ["suspended", "waiting", null, [], null]);
      same((await t.run({ kind: "renewLease", workerId: "worker", leaseMs: 1, nowMs: 12 })).lost, []);
    });

    test("refused: unknown, fenced, not running, in this order", async () => {
      same(await t.suspend("i"), { outcome: "unknownInstance" });
      await t.start("i");
      same(await t.suspend("i"), { outcome: "fenced", epoch: 0 });
      same(await t.suspend("i", { epoch: 0 }), { outcome: "refused", status: "pending" });
      await t.register("i");
      await t.event("i", "completed");
      same(await t.suspend("i", { epoch: 0 }), { outcome: "fenced", epoch: 1 });
      same(await t.suspend("i"), { outcome: "refused", status: "completed" });
    });

    test("repeating it is suspended again and changes nothing", async () => {
      await t.register("i");
      await t.suspend("i", { untilMs: 100, nowMs: 10 });
      const before = await t.read("i");
      same(await t.suspend("i", { untilMs: 900, nowMs: 500 }), { outcome: "suspended" });
      same(await t.read("i"), before);
      same((await t.events("i")).length, 2);
    });

    test("not yet: the time has passed", async () => {
      await t.register("i");
      const nothing = { outcome: "notYet", queued: [] };
      same(await t.suspend("i", { untilMs: 10, nowMs: 10 }), nothing);
      same(await t.suspend("i", { untilMs: 9, nowMs: 10 }), nothing);
      same((await t.read("i")).status, "running");
    });

    test("not yet: a signal of one of the names is there behind the id, queued or in a slot", async () => {
      await t.register("i");
      const first = await sentId(t.send("i", "a", "1"));
      const slot = await sentId(t.send("i", "b", "2", { queued: false, nowMs: 7 }));
      await t.send("i", "c", "not waited for");
      const queued = [
        { signalId: first, name: "a", payload: bytes("1"), createdAtMs: 1 },
        { signalId: slot, name: "b", payload: bytes("2"), createdAtMs: 7 },
      ];
      same(await t.suspend("i", { names: ["a", "b"] }), { outcome: "notYet", queued });
      same(await t.suspend("i", { names: ["b", "a"], afterSignalId: first }), {
        outcome: "notYet",
        queued: [queued[1]],
      });
      same(await t.suspend("i", { names: ["a"] }), { outcome: "notYet", queued: [queued[0]] }, "nothing was consumed");
      same(await t.suspend("i", { names: ["a", "b"], afterSignalId: slot }), { outcome: "suspended" });
    });

    test("not yet: an unacknowledged signal that is not recorded", async () => {
      await t.register("i");
      await t.signal("i", "pause", { payload: bytes("p") });
      const signal = { type: "pause", payload: bytes("p") };
      same(await t.suspend("i"), { outcome: "notYet", signal, queued: [] });
      same(await t.suspend("i", { recordedSignal: "cancel" }), { outcome: "notYet", signal, queued: [] });
      same((await t.read("i")).status, "running");
      same(await t.suspend("i", { recordedSignal: "pause" }), { outcome: "suspended" });
    });

    test("the answer's signals end after the bytes asked for, but there is one", async () => {
      await t.register("i");
      for (const payload of ["12345", "67890", "x"]) await t.send("i", "n", payload);
      for (const [bytesMax, count] of [
        [0, 1],
        [5, 1],
        [10, 2],
        [11, 3],
      ] as const) {
        const result = await t.suspend("i", { names: ["n"], bytesMax });
        assert.ok(result.outcome === "notYet");
        assert.equal(result.queued.length, count, `${bytesMax} bytes`);
      }
    });

    test("R5: a recorded cancel neither refuses the suspension nor wakes, and a second one is kept out", async () => {
      await t.claimed("i", "worker");
      await t.signal("i", "cancel");
      same(await t.suspend("i", { names: ["n"], recordedSignal: "cancel" }), { outcome: "suspended" });
      same(await state(), ["suspended", "waiting", null, ["n"], null]);
      same((await t.signal("i", "cancel")).outcome, "cancelKept");
      same((await t.read("i")).readyAtMs, null);
      await t.send("i", "n", "x", { nowMs: 30 });
      same((await t.read("i")).readyAtMs, 30);
      const { work } = await t.claim("worker", { nowMs: 31 });
      same(work[0]?.facts.signal?.type, "cancel");
    });

    test("R5: named signals wake a waiting one, others and a sleeping one they do not", async () => {
      await t.claimed("i", "worker");
      await t.suspend("i", { names: ["n"], untilMs: 1_000 });
      await t.send("i", "other", "x", { nowMs: 20 });
      same((await t.read("i")).readyAtMs, 1_000);
      await t.send("i", "n", "x", { queued: false, nowMs: 21 });
      same(await state(), ["suspended", "waiting", 21, ["n"], null]);
      await t.claimed("s", "worker");
      await t.suspend("s", { untilMs: 1_000 });
      await t.send("s", "n", "x", { nowMs: 22 });
      same((await t.read("s")).readyAtMs, 1_000);
    });

    test("R5: cancel and resume wake sleeping and waiting ones", async () => {
      for (const signal of ["cancel", "resume"] as const)
        for (const names of [[], ["n"]]) {
          const id = `${signal}${names.length}`;
          await t.claimed(id, "worker");
          await t.suspend(id, { names, untilMs: 1_000 });
          same((await t.signal(id, signal, { nowMs: 40 })).outcome, "sent");
          same((await t.read(id)).readyAtMs, 40, id);
        }
    });

    test("a pause takes the wake time and the names away, and a resume brings it back at once", async () => {
      await t.claimed("i", "worker");
      await t.suspend("i", { names: ["n"], untilMs: 1_000 });
      await t.control("i", "pause", { nowMs: 50 });
      same(await state(), ["suspended", "paused", null, [], null]);
      await t.send("i", "n", "x", { nowMs: 51 });
      same((await t.read("i")).readyAtMs, null);
      await t.control("i", "resume", { nowMs: 52 });
      same(await state(), ["suspended", null, 52, [], null]);
    });

    test("it also wakes at the next attempt of an open retry, not at those of saved or past ones", async () => {
      await t.claimed("i", "worker");
      const retry = { kind: "recordRetry", instanceId: "i", attempt: 1, nowMs: 1 } as const;
      await t.run({ ...retry, checkpointId: "past", nextAtMs: 5 });
      await t.run({ ...retry, checkpointId: "saved", nextAtMs: 50 });
      await t.run({ ...retry, checkpointId: "open", nextAtMs: 80 });
      await t.run({ ...retry, checkpointId: "later", nextAtMs: 90 });
      await t.save("i", "saved", "x");
      await t.suspend("i", { untilMs: 1_000, nowMs: 10 });
      same((await t.read("i")).readyAtMs, 80);
      await t.run({ ...retry, checkpointId: "open", attempt: 2, nextAtMs: 70, nowMs: 11 });
      same((await t.read("i")).readyAtMs, 70, "recorded while it is suspended");
    });

    test("two openings: no signal is lost between the check and the suspension", async () => {
      const other = await t.open();
      for (let n = 0; n < 20; n += 1) {
        const instanceId = `i${n}`;
        await t.claimed(instanceId, "worker");
        const custom = { kind: "sendCustomSignal", instanceId, name: "n", queued: true, nowMs: 2 } as const;
        const [suspended] = await Promise.all([t.suspend(instanceId, { names: ["n"] }), other.run(custom)]);
        const { readyAtMs, status } = await t.read(instanceId);
        if (suspended.outcome === "suspended") same([status, readyAtMs], ["suspended", 2]);
        else {
          assert.ok(suspended.outcome === "notYet");
          same([status, suspended.queued.length], ["running", 1]);
        }
      }
    });
  });
}
