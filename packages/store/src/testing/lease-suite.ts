import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ReleaseWork } from "@runtara/store";
import { type CreateHarness, useStore } from "./harness.ts";
import { bytes, same } from "./values.ts";

export function describeLeases(createHarness: CreateHarness): void {
  describe("leases", () => {
    const t = useStore(createHarness);
    const renew = (workerId: string, nowMs: number, leaseMs = 5_000) =>
      t.run({ kind: "renewLease", workerId, leaseMs, nowMs });
    const release = (workerId: string, work: Partial<ReleaseWork["work"][number]>, nowMs = 10) =>
      t.run({
        kind: "releaseWork",
        workerId,
        work: [{ instanceId: "i", epoch: 1, handBack: true, delayMs: 0, reason: "", ...work }],
        nowMs,
      });
    const claimedBy = async (workerId: string, nowMs: number) =>
      (await t.claim(workerId, { nowMs })).work.map(({ instanceId, facts }) => [instanceId, facts.epoch]);

    test("a lease is extended, never shortened; an unknown worker gets one, too", async () => {
      same(await renew("worker", 1_000), { outcome: "renewed", leaseUntilMs: 6_000, lost: [] });
      same(await renew("worker", 1_000, 100), { outcome: "renewed", leaseUntilMs: 6_000, lost: [] });
      same(await renew("worker", 2_000), { outcome: "renewed", leaseUntilMs: 7_000, lost: [] });
      same((await t.claim("worker", { leaseMs: 1, nowMs: 3_000 })).leaseUntilMs, 7_000);
    });

    test("I5: when a lease has ended another worker takes the work, and late writes of the old one are fenced", async () => {
      await t.claimed("i", "old");
      same(await claimedBy("new", 5_000), [], "the lease ends at 5,001");
      same(await claimedBy("new", 5_001), [["i", 2]]);
      same(await t.save("i", "a", "x", { epoch: 1 }), { outcome: "fenced", epoch: 2 });
      same((await renew("old", 5_002)).lost, ["i"]);
      same((await renew("old", 5_003)).lost, ["i"], "named until it is released");
      same((await renew("new", 5_003)).lost, []);
      await release("old", {});
      same((await renew("old", 5_004)).lost, []);
      const { holder, epoch, status } = await t.read("i");
      same([holder, epoch, status], ["new", 2, "running"]);
    });

    test("a renewal that comes first keeps the work", async () => {
      await t.claimed("i", "old");
      await renew("old", 5_500);
      same(await claimedBy("new", 5_600), []);
      same((await t.claim("new", { nowMs: 5_600 })).nextReadyAtMs, 10_500);
    });

    test("a worker that claims after its own lease has ended keeps what it runs", async () => {
      await t.claimed("i", "worker");
      const { work } = await t.claim("worker", { received: 1, nowMs: 50_000 });
      same(work, []);
      const { holder, epoch } = await t.read("i");
      same([holder, epoch], ["worker", 1]);
    });

    test("R2: taking over a running one is no further running one", async () => {
      await t.claimed("i", "old");
      const { work } = await t.claim("new", { nowMs: 9_000, runningMax: 1 });
      same(work.length, 1);
    });

    test("handed back: suspended, claimable after the delay, noted with its reason", async () => {
      await t.claimed("i", "worker");
      same(await release("worker", { delayMs: 500, reason: "draining" }), { outcome: "released" });
      const { status, reason, readyAtMs, holder } = await t.read("i");
      same([status, reason, readyAtMs, holder], ["suspended", "handedBack", 510, null]);
      const { type, subtype, payload, receivedAtMs } = (await t.events("i")).at(-1) ?? {};
      same([type, subtype, payload, receivedAtMs], ["custom", "released", bytes("draining"), 10]);
      same(await claimedBy("next", 509), []);
      same(await claimedBy("next", 510), [["i", 2]]);
      same((await renew("worker", 511)).lost, [], "it let go itself");
    });

    test("left without a word while running: handed back as well, with no event without a reason", async () => {
      await t.claimed("i", "worker");
      await release("worker", { handBack: false });
      const { status, reason, readyAtMs } = await t.read("i");
      same([status, reason, readyAtMs], ["suspended", "handedBack", 10]);
      same((await t.events("i")).length, 1);
    });

    test("in another status only the holder goes; a stranger's or an old epoch's release changes nothing", async () => {
      await t.claimed("i", "worker");
      const before = await t.read("i");
      await release("stranger", {});
      await release("worker", { epoch: 7 });
      await release("worker", { instanceId: "unknown" });
      same(await t.read("i"), before);
      await t.event("i", "completed");
      const ended = await t.read("i");
      await release("worker", { reason: "" });
      same(await t.read("i"), ended);
    });

    test("several at once, each by itself", async () => {
      for (const id of ["a", "b"]) await t.claimed(id, "worker");
      const entry = { epoch: 1, handBack: true, delayMs: 0, reason: "" };
      const work = ["a", "unknown", "b"].map((instanceId) => ({ ...entry, instanceId }));
      await t.run({ kind: "releaseWork", workerId: "worker", work, nowMs: 10 });
      for (const id of ["a", "b"]) same((await t.read(id)).reason, "handedBack");
    });

    test("a pending cancel waits for the next worker", async () => {
      await t.claimed("i", "worker");
      await t.signal("i", "cancel");
      await release("worker", {});
      same((await t.read("i")).status, "suspended");
      const { work } = await t.claim("next", { nowMs: 10 });
      same(work[0]?.facts.signal?.type, "cancel");
    });

    test("a loss is forgotten when the worker claims it again", async () => {
      await t.claimed("i", "worker");
      await t.register("i");
      same((await renew("worker", 2)).lost, ["i"]);
      await t.event("i", "suspended");
      await t.control("i", "resume", { nowMs: 3 });
      same(await claimedBy("worker", 4), [["i", 3]]);
      same((await renew("worker", 5)).lost, []);
    });

    test("a renewal and a claim through two openings: the instance has one of the two, never both", async () => {
      const other = await t.open();
      for (let n = 0; n < 10; n += 1) {
        const id = `i${n}`;
        const nowMs = 100_000 * (n + 1);
        await t.queue(id, { nowMs });
        await t.claim(`old ${n}`, { nowMs, capacity: 1 });
        const claim = { kind: "claimWork", workerId: `new ${n}`, tenantId: "t", nowMs: nowMs + 5_000 } as const;
        const [renewed, claimed] = await Promise.all([
          renew(`old ${n}`, nowMs + 5_000),
          other.run({
            ...claim,
            offers: [{ name: "w", versions: ["1"] }],
            capacity: 1,
            received: 0,
            leaseMs: 5_000,
            runningMax: 0,
            bytesMax: 1_000,
          }),
        ]);
        const { holder } = await t.read(id);
        assert.equal(holder, claimed.work.length === 0 ? `old ${n}` : `new ${n}`);
        if (renewed.lost.length > 0) assert.equal(holder, `new ${n}`);
        await t.event(id, "completed");
      }
    });
  });
}
