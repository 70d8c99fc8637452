import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClaimWorkResult } from "@runtara/store";
import { type CreateHarness, seed, useStore } from "./harness.ts";
import { bytes, same } from "./values.ts";

export function describeQueue(createHarness: CreateHarness): void {
  describe("the work queue", () => {
    const t = useStore(createHarness);

    test("a claim is a registration with a holder and a lease", async () => {
      await t.queue("i", { input: bytes("in"), nowMs: 5 });
      same(await t.claim("worker", { nowMs: 10, leaseMs: 1_000 }), {
        outcome: "claimed",
        sequence: 1,
        work: [
          {
            instanceId: "i",
            tenantId: "t",
            facts: {
              epoch: 1,
              checkpointCount: 0,
              input: bytes("in"),
              firstStartedAtMs: 10,
              seed,
              run: 1,
              workflow: "w",
              version: "1",
              parentInstanceId: null,
            },
          },
        ],
        leaseUntilMs: 1_010,
        nextReadyAtMs: 1_010,
      });
      const { status, holder, epoch, readyAtMs, startedAtMs } = await t.read("i");
      same([status, holder, epoch, readyAtMs, startedAtMs], ["running", "worker", 1, null, 10]);
      same(
        (await t.events("i")).map(({ type }) => type),
        ["started"],
      );
      same(await t.save("i", "a", "x", { epoch: 1 }), { outcome: "saved", state: bytes("") });
    });

    test("earliest first, at most the capacity; what is not ready yet says when it will be", async () => {
      await t.queue("late", { startAtMs: 900 });
      await t.queue("third", { startAtMs: 30 });
      await t.queue("first", { startAtMs: 10 });
      await t.queue("second", { startAtMs: 20 });
      const one = await t.claim("one", { capacity: 2, nowMs: 50, leaseMs: 10_000 });
      same(ids(one), ["first", "second"]);
      const two = await t.claim("two", { nowMs: 51, leaseMs: 10_000 });
      same([ids(two), two.nextReadyAtMs], [["third"], 900]);
      const none = await t.claim("three", { nowMs: 52, leaseMs: 10_000, capacity: 0 });
      same([ids(none), none.sequence, none.nextReadyAtMs], [[], 0, 900]);
    });

    test("only the tenant's, only offered workflows, only offered versions and those bound to none", async () => {
      await t.queue("other tenant", { tenantId: "u" });
      await t.queue("other workflow", { workflow: "v" });
      await t.queue("other version", { version: "3" });
      await t.start("no version", { workflow: "w", nowMs: 2 });
      await t.queue("older version", { version: "2", nowMs: 3 });
      await t.start("no workflow");
      const offers = [{ name: "w", versions: ["1", "2"] }];
      same(ids(await t.claim("worker", { offers, nowMs: 9 })), ["no version", "older version"]);
      const no = await t.claim("worker", { offers: [{ name: "none", versions: [] }], received: 1, nowMs: 9 });
      same([ids(no), no.nextReadyAtMs], [[], undefined]);
      same(ids(await t.claim("worker", { offers: [], received: 1, nowMs: 9 })), []);
      const both = [
        { name: "v", versions: ["1"] },
        { name: "w", versions: ["3"] },
      ];
      same(ids(await t.claim("other", { offers: both, nowMs: 9 })).toSorted(), ["other version", "other workflow"]);
    });

    test("a plainly suspended, paused or running one is not claimable, a resumed and a woken one is", async () => {
      for (const id of ["plain", "paused", "running", "resumed", "woken"]) await t.claimed(id, "worker");
      await t.event("plain", "suspended");
      await t.event("paused", "suspended", { reason: "paused" });
      await t.event("resumed", "suspended");
      await t.control("resumed", "resume", { nowMs: 20 });
      await t.suspend("woken", { untilMs: 30 });
      const { work } = await t.claim("next", { nowMs: 40 });
      same(
        work.map(({ instanceId, facts }) => [instanceId, facts.epoch]),
        [
          ["resumed", 2],
          ["woken", 2],
        ],
      );
    });

    test("I2: an instance goes to one claimer only, also through two openings", async () => {
      for (let n = 0; n < 40; n += 1) await t.queue(`i${n}`, { nowMs: n });
      const other = await t.open();
      const claim = { kind: "claimWork", tenantId: "t", offers: [{ name: "w", versions: ["1"] }] } as const;
      const more = { capacity: 3, received: 0, leaseMs: 9_000, runningMax: 0, bytesMax: 1_000, nowMs: 100 };
      const claimed = new Set<string>();
      for (let round = 0; claimed.size < 40; round += 1) {
        assert.ok(round < 40, "every round brings something");
        const answers = await Promise.all(
          [t.store, other, t.store, other].map((store, n) =>
            store.run({ ...claim, ...more, workerId: `worker ${round} ${n}` }),
          ),
        );
        for (const id of answers.flatMap(ids)) {
          assert.ok(!claimed.has(id), `${id} was given twice`);
          claimed.add(id);
        }
      }
    });

    test("a lost answer loses nothing: what is not confirmed is given again alone, with the same epochs", async () => {
      await t.queue("a");
      await t.queue("b", { nowMs: 2 });
      const first = await t.claim("worker", { capacity: 1, nowMs: 5 });
      same([first.sequence, ids(first)], [1, ["a"]]);
      const again = await t.claim("worker", { capacity: 5, received: 0, nowMs: 6 });
      same(again.work, first.work);
      same([again.sequence, ids(again)], [1, ["a"]]);
      same((await t.read("a")).epoch, 1);
      const zero = await t.claim("worker", { capacity: 0, received: 0, nowMs: 6 });
      same(ids(zero), ["a"], "whatever the capacity");
      const next = await t.claim("worker", { capacity: 5, received: 1, nowMs: 7 });
      same([next.sequence, ids(next)], [2, ["b"]]);
      const both = await t.claim("worker", { received: 0, nowMs: 8 });
      same(ids(both).toSorted(), ["a", "b"]);
      const none = await t.claim("worker", { received: 2, nowMs: 9 });
      same([none.sequence, ids(none)], [2, []]);
    });

    test("what is unconfirmed but no longer its own is not given again", async () => {
      for (const id of ["ended", "taken", "kept"]) await t.queue(id);
      await t.claim("worker");
      await t.event("ended", "completed");
      await t.register("taken");
      same(ids(await t.claim("worker")), ["kept"]);
    });

    test("an answer of new work ends after its bytes of inputs, with one instance at least", async () => {
      for (const [n, id] of ["a", "b", "c"].entries()) await t.queue(id, { input: bytes("12345"), nowMs: n + 1 });
      same(ids(await t.claim("one", { bytesMax: 1, nowMs: 9 })), ["a"]);
      same(ids(await t.claim("two", { bytesMax: 10, nowMs: 9 })), ["b", "c"]);
    });

    test("R2: no more instances run than allowed; what waits is claimed when one ends", async () => {
      await t.register("self");
      for (const [n, id] of ["a", "b", "c"].entries()) await t.queue(id, { nowMs: n + 2 });
      same(ids(await t.claim("one", { runningMax: 3, nowMs: 9 })), ["a", "b"]);
      same(ids(await t.claim("two", { runningMax: 3, nowMs: 9 })), []);
      await t.event("a", "completed");
      same(ids(await t.claim("two", { runningMax: 3, nowMs: 9 })), ["c"]);
      same(ids(await t.claim("one", { runningMax: 1, nowMs: 9 })), ["b"], "unconfirmed work is running already");
    });

    test("R2: two openings together do not exceed it", async () => {
      for (let n = 0; n < 30; n += 1) await t.queue(`i${n}`, { nowMs: n });
      const other = await t.open();
      const claim = {
        kind: "claimWork",
        tenantId: "t",
        offers: [{ name: "w", versions: ["1"] }],
        received: 0,
      } as const;
      const more = { capacity: 5, leaseMs: 9_000, runningMax: 12, bytesMax: 1_000, nowMs: 100 };
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          (n % 2 === 0 ? t.store : other).run({ ...claim, ...more, workerId: `worker ${n}` }),
        ),
      );
      assert.ok(answers.flatMap(ids).length <= 12);
      const { instances } = await listRunning();
      assert.equal(instances.length, answers.flatMap(ids).length);
    });

    async function listRunning() {
      const result = await t.run({ kind: "listInstances", status: "running", limit: 100 });
      assert.ok(result.outcome === "page");
      return result;
    }

    test("I1: claims survive opening the database again", async () => {
      await t.queue("i");
      const claimed = await t.claim("worker");
      await t.reopen();
      const { status, holder } = await t.read("i");
      same([status, holder], ["running", "worker"]);
      same((await t.claim("worker")).work, claimed.work);
    });
  });
}

function ids({ work }: ClaimWorkResult): string[] {
  return work.map(({ instanceId }) => instanceId);
}
