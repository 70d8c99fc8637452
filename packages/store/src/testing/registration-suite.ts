import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RegisterInstanceResult, StartFacts } from "@runtara/store";
import { type CreateHarness, seed, useStore } from "./harness.ts";
import { bytes, same } from "./values.ts";

export function describeRegistration(createHarness: CreateHarness): void {
  describe("registration", () => {
    const t = useStore(createHarness);

    test("an unknown instance is created running, and everything that it is told is there", async () => {
      same(await t.register("i", { nowMs: 10 }), registered({ epoch: 1, firstStartedAtMs: 10 }, true));
      same(await t.read("i"), {
        instanceId: "i",
        tenantId: "t",
        status: "running",
        reason: null,
        reasonText: null,
        exitCode: null,
        workflow: null,
        version: null,
        tags: {},
        createdAtMs: 10,
        firstStartedAtMs: 10,
        startedAtMs: 10,
        finishedAtMs: null,
        readyAtMs: null,
        waitingFor: [],
        run: 1,
        parentInstanceId: null,
        holder: null,
        checkpointId: null,
        checkpointCount: 0,
        epoch: 1,
        lastSeenAtMs: 10,
        output: null,
        error: null,
        failure: null,
      });
      same(
        (await t.events("i")).map(({ type, createdAtMs }) => [type, createdAtMs]),
        [["started", 10]],
      );
    });

    test("each further one raises the epoch, keeps first start, tenant and seed, and writes its event", async () => {
      await t.register("i", { nowMs: 10 });
      await t.save("i", "a", "x");
      await t.run({ kind: "recordRetry", instanceId: "i", checkpointId: "b", attempt: 1, nowMs: 11 });
      const again = await t.register("i", { nowMs: 20, tenantId: "other", seed: new Uint8Array(16) });
      same(again, registered({ epoch: 2, firstStartedAtMs: 10, checkpointCount: 2 }, false));
      const { status, tenantId, createdAtMs, firstStartedAtMs, startedAtMs, epoch } = await t.read("i");
      same([status, tenantId, createdAtMs, firstStartedAtMs, startedAtMs, epoch], ["running", "t", 10, 10, 20, 2]);
      same(
        (await t.events("i")).map(({ type, createdAtMs, receivedAtMs }) => [type, createdAtMs, receivedAtMs]),
        [
          ["started", 10, 10],
          ["started", 20, 20],
        ],
      );
    });

    test("one that was started is told its input, workflow, version, parent, seed and signal", async () => {
      await t.register("p");
      const parent = { instanceId: "p", epoch: 1, detached: false };
      await t.queue("i", { input: bytes("in"), parent, nowMs: 5 });
      await t.signal("i", "pause", { nowMs: 6, payload: bytes("why") });
      await t.signal("i", "resume", { nowMs: 7 });
      const facts = { input: bytes("in"), workflow: "w", version: "1", parentInstanceId: "p", firstStartedAtMs: 8 };
      same(
        await t.register("i", { nowMs: 8, seed: new Uint8Array(16) }),
        registered({ ...facts, signal: undefined, seed }, false),
        "the pause was obeyed at once, the resume made it claimable",
      );
      await t.signal("i", "pause", { nowMs: 9, payload: bytes("again") });
      const signal = { type: "pause", payload: bytes("again") } as const;
      same(await t.register("i", { nowMs: 10 }), registered({ ...facts, epoch: 2, signal }, false));
    });

    test("with a checkpoint id it needs that checkpoint or retry record; else nothing changes", async () => {
      same(await t.register("i", { checkpointId: "a" }), { outcome: "checkpointMissing" });
      same(await t.run({ kind: "readInstance", instanceId: "i" }), { outcome: "unknownInstance" });
      await t.register("i");
      await t.save("i", "a", "x");
      await t.run({ kind: "recordRetry", instanceId: "i", checkpointId: "k", attempt: 2, nowMs: 1 });
      same((await t.register("i", { checkpointId: "a" })).outcome, "registered");
      same((await t.register("i", { checkpointId: "k::retry::2" })).outcome, "registered");
      same(await t.register("i", { checkpointId: "k" }), { outcome: "checkpointMissing" });
      same(await t.register("other", { checkpointId: "a" }), { outcome: "checkpointMissing" });
      same((await t.read("i")).epoch, 3);
    });

    test("I9: another tenant is refused only where tenants are checked", async () => {
      await t.register("i");
      same(await t.register("i", { tenantId: "other", checkTenant: true }), { outcome: "otherTenant" });
      same((await t.read("i")).epoch, 1);
      same((await t.register("i", { tenantId: "t", checkTenant: true })).outcome, "registered");
      same((await t.register("i", { tenantId: "other" })).outcome, "registered");
      same((await t.read("i")).tenantId, "t");
    });

    test("refusals in their order: checkpoint, tenant, status", async () => {
      await t.register("i");
      await t.event("i", "completed");
      const all = { checkpointId: "none", tenantId: "other", checkTenant: true };
      same(await t.register("i", all), { outcome: "checkpointMissing" });
      same(await t.register("i", { tenantId: "other", checkTenant: true }), { outcome: "otherTenant" });
      same(await t.register("i"), { outcome: "refused", status: "completed" });
    });

    test("I4: from every status that is not final, whatever the reason, never from a final one", async () => {
      await t.start("pending");
      await t.register("running");
      for (const [id, reason] of [
        ["plain", undefined],
        ["paused", "paused"],
        ["diverged", "diverged"],
      ] as const) {
        await t.register(id);
        await t.event(id, "suspended", reason === undefined ? {} : { reason });
        same((await t.read(id)).status, "suspended");
      }
      for (const id of ["pending", "running", "plain", "paused", "diverged"]) {
        same((await t.register(id, { nowMs: 5 })).outcome, "registered", id);
        const { status, reason } = await t.read(id);
        same([status, reason], ["running", null], id);
      }
      for (const id of ["completed", "failed", "cancelled"] as const) {
        await t.register(id);
        if (id === "cancelled") {
          await t.run({ kind: "controlInstance", instanceId: id, order: "kill", nowMs: 2 });
        } else await t.event(id, id);
        const before = await t.read(id);
        same(await t.register(id, { nowMs: 9 }), { outcome: "refused", status: id });
        same(await t.read(id), before);
      }
    });

    test("what an earlier life left is cleared", async () => {
      await t.register("i");
      await t.suspend("i", { names: ["n"], untilMs: 500, nowMs: 2 });
      const { status, reason, readyAtMs, waitingFor } = await t.read("i");
      same([status, reason, readyAtMs, waitingFor], ["suspended", "waiting", 500, ["n"]]);
      await t.register("i", { nowMs: 3 });
      const after = await t.read("i");
      same([after.status, after.reason, after.readyAtMs, after.waitingFor], ["running", null, null, []]);
      same([after.output, after.error, after.failure, after.finishedAtMs], [null, null, null, null]);
    });

    test("a worker that held it is told of the loss, and its epoch is over", async () => {
      await t.claimed("i", "worker");
      await t.register("i", { nowMs: 3 });
      const { holder, epoch } = await t.read("i");
      same([holder, epoch], [null, 2]);
      const renewed = await t.run({ kind: "renewLease", workerId: "worker", leaseMs: 5_000, nowMs: 4 });
      same(renewed.lost, ["i"]);
      same(await t.save("i", "a", "x", { epoch: 1 }), { outcome: "fenced", epoch: 2 });
    });

    test("I2: of concurrent first registrations through two openings all succeed, with different epochs", async () => {
      const other = await t.open();
      const register = { kind: "registerInstance", tenantId: "t", checkTenant: false, seed, staleAfterMs: 0 } as const;
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          (n % 2 === 0 ? t.store : other).run({ ...register, instanceId: "i", nowMs: 1 }),
        ),
      );
      const epochs = results.map((result) => (result.outcome === "registered" ? result.facts.epoch : 0));
      same(
        epochs.toSorted((a, b) => a - b),
        Array.from({ length: 20 }, (_, n) => n + 1),
      );
      assert.equal(results.filter((result) => result.outcome === "registered" && result.created).length, 1);
    });

    test("I1: what was answered is there after opening the database again", async () => {
      await t.register("i");
      await t.register("i");
      const before = await t.read("i");
      await t.reopen();
      same(await t.read("i"), before);
      const again = await t.register("i");
      assert.ok(again.outcome === "registered" && again.facts.epoch === 3);
    });
  });

  describe("touches", () => {
    const t = useStore(createHarness);
    const touch = (instanceId: string, atMs: number, epoch?: number) =>
      t.run({
        kind: "touchInstances",
        seen: [{ instanceId, atMs, ...(epoch === undefined ? {} : { epoch }) }],
      });

    test("the time of the last call moves forward only, and only in steps worth a write", async () => {
      await t.register("i", { nowMs: 10_000 });
      same(await touch("i", 20_000), { outcome: "touched" });
      same((await t.read("i")).lastSeenAtMs, 20_000);
      await touch("i", 9_000);
      same((await t.read("i")).lastSeenAtMs, 20_000);
      await touch("i", 20_001);
      const { lastSeenAtMs } = await t.read("i");
      assert.ok(lastSeenAtMs === 20_000 || lastSeenAtMs === 20_001, "true to within limits.touchEveryMs");
    });

    test("unknown, fenced and not running ones are skipped; the others of the list are not", async () => {
      await t.register("fenced", { nowMs: 1 });
      await t.register("ended", { nowMs: 1 });
      await t.event("ended", "completed", { nowMs: 2 });
      await t.start("pending");
      await t.register("good", { nowMs: 1 });
      const before = await Promise.all(["fenced", "ended", "pending"].map((id) => t.read(id)));
      const seen = ["unknown", "fenced", "ended", "pending", "good"].map((instanceId) => ({
        instanceId,
        atMs: 50_000,
        ...(instanceId === "fenced" ? { epoch: 7 } : {}),
      }));
      same(await t.run({ kind: "touchInstances", seen }), { outcome: "touched" });
      same(await Promise.all(["fenced", "ended", "pending"].map((id) => t.read(id))), before);
      same((await t.read("good")).lastSeenAtMs, 50_000);
      await touch("fenced", 60_000, 1);
      same((await t.read("fenced")).lastSeenAtMs, 60_000);
    });

    test("an empty list is no error, and one instance may stand in it twice", async () => {
      same(await t.run({ kind: "touchInstances", seen: [] }), { outcome: "touched" });
      await t.register("i", { nowMs: 1 });
      const seen = [
        { instanceId: "i", atMs: 30_000 },
        { instanceId: "i", atMs: 20_000 },
      ];
      await t.run({ kind: "touchInstances", seen });
      same((await t.read("i")).lastSeenAtMs, 30_000);
    });
  });
}

function registered(facts: Partial<StartFacts>, created: boolean): RegisterInstanceResult {
  return {
    outcome: "registered",
    created,
    facts: {
      epoch: 1,
      checkpointCount: 0,
      input: null,
      firstStartedAtMs: 1,
      seed,
      run: 1,
      workflow: null,
      version: null,
      parentInstanceId: null,
      signal: undefined,
      ...facts,
    },
  };
}
