import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { StoreError } from "@runtara/store";
import { type CreateHarness, seed, useStore } from "./harness.ts";
import { bytes, same } from "./values.ts";

export function describeStore(createHarness: CreateHarness): void {
  describe("the store itself", () => {
    const t = useStore(createHarness);
    const save = (checkpointId: string, instanceId = "i") =>
      ({ kind: "saveCheckpoint", instanceId, checkpointId, state: bytes(checkpointId), nowMs: 1 }) as const;

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

    test("a flush carries out what has gathered", async () => {
      await t.register("i");
      const outcomes = new Promise<string[]>((resolve) => {
        const seen: string[] = [];
        for (const id of ["a", "a", "b"])
          t.store.submit(save(id), (error, result) => {
            seen.push(error?.code ?? result?.outcome ?? "");
            if (seen.length === 3) resolve(seen);
          });
        assert.deepEqual(seen, []);
        t.store.flush();
      });
      assert.deepEqual(await outcomes, ["saved", "found", "saved"]);
    });

    test("operations of one instance take effect in the order of their submission", async () => {
      const outcomes = await Promise.all([
        t.run(save("a")),
        t.register("i"),
        t.run(save("a")),
        t.load("i", "a"),
        t.run(save("a")),
        t.event("i", "completed"),
        t.run(save("b")),
        t.run({ kind: "readInstance", instanceId: "i" }),
      ]);
      assert.deepEqual(
        outcomes.map(({ outcome }) => outcome),
        ["unknownInstance", "registered", "saved", "found", "found", "stored", "refused", "found"],
      );
      const read = outcomes[7];
      assert.ok(read.outcome === "found" && read.instance.checkpointId === "a" && read.instance.checkpointCount === 1);
    });

    test("reads between writes of one instance see what was submitted before, and no later write", async () => {
      await t.register("i");
      const counts: number[] = [];
      const reading: Promise<unknown>[] = [];
      for (let n = 0; n < 20; n += 1) {
        reading.push(t.run(save(`c${n}`)));
        reading.push(t.read("i").then(({ checkpointCount }) => counts.push(checkpointCount)));
      }
      await Promise.all(reading);
      same(
        counts,
        Array.from({ length: 20 }, (_, n) => n + 1),
      );
    });

    test("far more operations than one transaction takes all get their answers, those of one instance in order", async () => {
      const instances = ["i", "j", "k"];
      for (const id of instances) await t.register(id);
      const order = new Map(instances.map((id) => [id, [] as number[]]));
      const results = await Promise.all(
        Array.from({ length: 2_001 }, async (_, n) => {
          const id = instances[n % 3] ?? "";
          const result = await t.run(save(`c${n}`, id));
          order.get(id)?.push(n);
          return result.outcome;
        }),
      );
      assert.ok(results.every((outcome) => outcome === "saved"));
      for (const numbers of order.values())
        assert.deepEqual(
          numbers,
          numbers.toSorted((a, b) => a - b),
        );
    });

    test("an operation submitted from a callback is carried out, too", async () => {
      await t.register("i");
      const outcome = await new Promise((resolve) => {
        t.store.submit(save("a"), () => t.store.submit(save("a"), (error, result) => resolve(error ?? result.outcome)));
      });
      assert.equal(outcome, "found");
    });

    test("I10: an operation that fails fails alone; the others of its transaction are kept", async () => {
      await t.register("i");
      const messages = Array.from({ length: 1_001 }, (_, n) => ({
        number: n + 1,
        content: { kind: "published", key: `k${n}`, value: bytes("x") } as const,
      }));
      const settled = await Promise.allSettled([
        t.run(save("before")),
        t.run({ kind: "publish", instanceId: "i", epoch: 1, run: 1, messages, nowMs: 1 }),
        t.run(save("after")),
      ]);
      assert.deepEqual(
        settled.map(({ status }) => status),
        ["fulfilled", "rejected", "fulfilled"],
      );
      const failure = settled[1];
      assert.ok(failure.status === "rejected" && failure.reason instanceof StoreError);
      await t.reopen();
      for (const id of ["before", "after"]) same((await t.load("i", id)).outcome, "found");
      same((await t.read("i")).checkpointCount, 2);
    });

    test("after close every operation fails with CLOSED, nothing is watched, and what waited was carried out; closing again is nothing", async () => {
      await t.register("i");
      const waiting = t.run(save("a"));
      const { store } = t;
      await store.close();
      assert.equal((await waiting).outcome, "saved");
      await assert.rejects(store.run(save("b")), (error) => error instanceof StoreError && error.code === "CLOSED");
      store.watch(() => {})();
      await store.close();
    });

    test("more waiting operations than the bound fail with OVERLOADED and change nothing", async () => {
      await t.register("i");
      const settled = await Promise.allSettled(Array.from({ length: 65_537 }, () => t.load("i", "x")));
      const refused = settled.flatMap((one) => (one.status === "rejected" ? [one.reason as StoreError] : []));
      assert.deepEqual(
        refused.map(({ code }) => code),
        ["OVERLOADED"],
      );
    });

    test("two openings see each other's writes at once, in both directions", async () => {
      const other = await t.open();
      const register = { kind: "registerInstance", tenantId: "t", checkTenant: false, seed, staleAfterMs: 0 } as const;
      await other.run({ ...register, instanceId: "i", nowMs: 1 });
      same((await t.run(save("a"))).outcome, "saved");
      const found = await other.run(save("a"));
      same(found.outcome, "found");
      for (let n = 0; n < 10; n += 1) {
        await (n % 2 === 0 ? other : t.store).run(save(`c${n}`));
        const read = await (n % 2 === 0 ? t.store : other).run({ kind: "readInstance", instanceId: "i" });
        assert.ok(read.outcome === "found");
        same(read.instance.checkpointCount, n + 2);
      }
    });

    test("the figures count what was done", async () => {
      const before = t.store.stats();
      await t.register("i");
      await t.run(save("a"));
      const after = t.store.stats();
      assert.ok(after.operations >= before.operations + 2);
      assert.ok(after.transactions > before.transactions);
      assert.equal(after.queued, 0);
      assert.equal(after.failures, before.failures);
    });
  });
}
