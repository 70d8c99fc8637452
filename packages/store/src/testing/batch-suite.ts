import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { StoreError } from "@runtara/store";
import { bytes, type CreateHarness, registrable, running, useStore } from "./harness.ts";

export function describeBatches(createHarness: CreateHarness): void {
  describe("batches", () => {
    const t = useStore(createHarness);
    const save = (checkpointId: string, instanceId = "i") =>
      ({
        kind: "saveCheckpoint",
        instanceId,
        checkpointId,
        state: bytes(checkpointId),
        allowedIn: running,
        nowMs: 1,
      }) as const;

    test("done never runs inside submit, and operations without a flush are carried out by themselves", async () => {
      await t.register("i");
      let answered = false;
      await new Promise<void>((resolve) => {
        t.store.submit(save("a"), () => {
          answered = true;
          resolve();
        });
        assert.equal(answered, false);
      });
      assert.equal(answered, true);
    });

    test("operations of one batch see each other in the order of their submission", async () => {
      const outcomes = await Promise.all([
        t.store.run(save("a")),
        t.store.run({ kind: "registerInstance", instanceId: "i", tenantId: "t", allowedIn: registrable, nowMs: 1 }),
        t.store.run(save("a")),
        t.store.run({ kind: "loadCheckpoint", instanceId: "i", checkpointId: "a" }),
        t.store.run(save("a")),
        t.store.run({ kind: "readInstance", instanceId: "i" }),
      ]);
      assert.deepEqual(
        outcomes.map(({ outcome }) => outcome),
        ["unknownInstance", "registered", "saved", "found", "found", "found"],
      );
      const read = outcomes[5];
      assert.ok(read.outcome === "found" && read.instance.checkpointId === "a" && read.instance.checkpointCount === 1);
    });

    test("far more operations than one transaction takes all get their answers, in order", async () => {
      await t.register("i");
      const order: number[] = [];
      const results = await Promise.all(
        Array.from({ length: 2_000 }, async (_, n) => {
          const result = await t.store.run(save(`c${n}`));
          order.push(n);
          return result.outcome;
        }),
      );
      assert.ok(results.every((outcome) => outcome === "saved"));
      assert.deepEqual(
        order,
        order.toSorted((a, b) => a - b),
      );
    });

    test("an operation submitted from a callback is carried out too", async () => {
      await t.register("i");
      const outcome = await new Promise((resolve) => {
        t.store.submit(save("a"), () => t.store.submit(save("a"), (error, result) => resolve(error ?? result.outcome)));
      });
      assert.equal(outcome, "found");
    });

    test("I10: an operation that the schema refuses fails alone; the others of its transaction are kept", async () => {
      await t.register("i");
      const settled = await Promise.allSettled([
        t.store.run(save("before")),
        t.store.run({ kind: "createInstance", instanceId: "", tenantId: "t", nowMs: 1 }),
        t.store.run(save("after")),
      ]);
      assert.deepEqual(
        settled.map(({ status }) => status),
        ["fulfilled", "rejected", "fulfilled"],
      );
      const failure = settled[1];
      assert.ok(failure.status === "rejected" && failure.reason instanceof StoreError);
      assert.equal(failure.reason.code, "CONSTRAINT_FAILED");
      await t.reopen();
      for (const id of ["before", "after"]) assert.equal((await t.load("i", id)).outcome, "found");
      const read = await t.store.run({ kind: "readInstance", instanceId: "i" });
      assert.ok(read.outcome === "found" && read.instance.checkpointCount === 2);
    });

    test("after close every operation fails with CLOSED, and what waited was carried out", async () => {
      await t.register("i");
      const waiting = t.store.run(save("a"));
      const { store } = t;
      await store.close();
      assert.equal((await waiting).outcome, "saved");
      await assert.rejects(store.run(save("b")), (error) => error instanceof StoreError && error.code === "CLOSED");
      await store.close();
    });

    test("more waiting operations than the bound fail with OVERLOADED and change nothing", async () => {
      await t.register("i");
      const settled = await Promise.allSettled(
        Array.from({ length: 65_537 }, () =>
          t.store.run({ kind: "loadCheckpoint", instanceId: "i", checkpointId: "x" }),
        ),
      );
      const refused = settled.flatMap((one) => (one.status === "rejected" ? [one.reason as StoreError] : []));
      assert.deepEqual(
        refused.map(({ code }) => code),
        ["OVERLOADED"],
      );
    });
  });
}
