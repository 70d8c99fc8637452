import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type CreateHarness, useStore } from "./harness.ts";
import { bytes, same, text } from "./values.ts";

export function describeSettling(createHarness: CreateHarness): void {
  describe("what follows from ends", () => {
    const t = useStore(createHarness);
    const settled = (count: number, more = false) => ({ outcome: "settled", count, more });
    const child = (id: string, more: { resultSignal?: string; detached?: boolean } = {}) =>
      t.queue(id, { parent: { instanceId: "p", epoch: 1, detached: false, ...more } });
    const arrived = async (name: string) => {
      const interests = [{ instanceId: "p", epoch: 1, names: [name], afterSignalId: 0 }];
      const { instances } = await t.run({ kind: "readSignals", interests, bytesMax: 10_000 });
      return instances.flatMap(({ queued }) => queued.map(({ payload }) => text(payload)));
    };

    test("nothing to settle", async () => {
      await t.register("i");
      await t.event("i", "completed");
      same(await t.settle(1), settled(0));
    });

    test("a result goes to the parent once, and wakes it if it waits for this name", async () => {
      await t.claimed("p", "worker");
      await child("c", { resultSignal: "c!result" });
      await t.suspend("p", { names: ["c!result"] });
      await t.event("c", "completed", { output: bytes('{"n":18446744073709551615}') });
      same((await t.read("p")).readyAtMs, null, "not before it is settled");
      same(await t.settle(70), settled(1));
      same((await t.read("p")).readyAtMs, 70);
      same(await arrived("c!result"), ['{"status":"completed","output":{"n":18446744073709551615}}']);
      same(await t.settle(71), settled(0));
      same(
        await t.send("p", "c!result", "again", { messageId: "child:c" }).then(({ outcome }) => outcome),
        "duplicate",
      );
    });

    test("results of every end; bytes that are no JSON go as Base64", async () => {
      await t.register("p");
      for (const id of ["none", "bytes", "failed", "killed"]) await child(id, { resultSignal: id });
      await t.event("none", "completed");
      await t.event("bytes", "completed", { output: Uint8Array.of(255, 0) });
      await t.event("failed", "failed", { error: "boom", failure: bytes("[1.0]") });
      await t.control("killed", "kill");
      same((await t.settle(5)).count, 4);
      same(await arrived("none"), ['{"status":"completed"}']);
      same(await arrived("bytes"), ['{"status":"completed","outputBase64":"/wA="}']);
      same(await arrived("failed"), ['{"status":"failed","error":"boom","failure":[1.0]}']);
      same(await arrived("killed"), ['{"status":"cancelled"}']);
    });

    test("without a result signal nothing is told", async () => {
      await t.register("p");
      await child("c");
      same(await t.event("c", "completed"), { outcome: "stored", status: "completed", unsettled: false });
      same(await t.settle(5), settled(0));
    });

    test("a parent that has ended is told nothing", async () => {
      await t.register("p");
      await child("c", { resultSignal: "r", detached: true });
      await t.event("p", "completed");
      await t.event("c", "completed");
      await t.settle(5);
      same(await t.poll("p", "r"), { outcome: "polled" });
      same(await t.settle(6), settled(0));
    });

    test("attached children are asked to cancel when the parent ends; detached and ended ones are not", async () => {
      await t.register("p");
      for (const id of ["pending", "running", "ended"]) await child(id);
      await child("detached", { detached: true });
      await t.register("running");
      await t.event("ended", "completed");
      await t.event("p", "completed");
      same(await t.settle(9), settled(1));
      const statuses = await Promise.all(
        ["pending", "running", "ended", "detached"].map(async (id) => (await t.read(id)).status),
      );
      same(statuses, ["cancelled", "running", "completed", "pending"]);
      const polled = await t.poll("running");
      assert.ok(polled.outcome === "polled");
      same(polled.signal?.type, "cancel");
      same(await t.settle(10), settled(0), "asked once");
    });

    test("cancelled children bring ends of their own, generation by generation", async () => {
      await t.register("p");
      await child("c");
      await t.register("c");
      await t.queue("g", { parent: { instanceId: "c", epoch: 1, detached: false } });
      await t.event("c", "suspended");
      await t.control("p", "kill");
      let rounds = 0;
      for (let more = true; more; rounds += 1) {
        ({ more } = await t.settle(10 + rounds));
        assert.ok(rounds < 10);
      }
      await t.settle(30);
      const statuses = await Promise.all(["p", "c", "g"].map(async (id) => (await t.read(id)).status));
      same(statuses[0], "cancelled");
      assert.notEqual(statuses[2], "running");
    });

    test("I1: open effects survive opening the database again; at most the limit in one call", async () => {
      await t.register("p");
      for (const id of ["a", "b", "c"]) {
        await child(id, { resultSignal: "r" });
        await t.event(id, "completed");
      }
      await t.reopen();
      const some = await t.run({ kind: "settleEnded", nowMs: 5, limit: 2 });
      same(some, settled(2, true));
      same(await t.settle(6), settled(1));
      same((await arrived("r")).length, 3);
    });

    test("each end is settled by one only, also through two openings", async () => {
      await t.register("p");
      for (let n = 0; n < 20; n += 1) {
        await child(`c${n}`, { resultSignal: "r" });
        await t.event(`c${n}`, "completed");
      }
      const other = await t.open();
      const settle = { kind: "settleEnded", nowMs: 5, limit: 10 } as const;
      let count = 0;
      for (let round = 0; round < 10; round += 1)
        for (const answer of await Promise.all([t.store, other, t.store, other].map((store) => store.run(settle))))
          count += answer.count;
      same([count, (await arrived("r")).length], [20, 20]);
    });
  });
}
