import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type CreateHarness, seed, useStore } from "./harness.ts";
import { bytes, same } from "./values.ts";

export function describeStarts(createHarness: CreateHarness): void {
  describe("starts", () => {
    const t = useStore(createHarness);

    test("one with a workflow is pending and claimable at once, one without is not claimable", async () => {
      same(await t.queue("q", { nowMs: 7 }), { outcome: "created", status: "pending" });
      const queued = await t.read("q");
      same([queued.status, queued.readyAtMs, queued.workflow, queued.version], ["pending", 7, "w", "1"]);
      same([queued.createdAtMs, queued.startedAtMs, queued.firstStartedAtMs, queued.epoch], [7, null, null, 0]);
      same(await t.start("s", { nowMs: 7 }), { outcome: "created", status: "pending" });
      const started = await t.read("s");
      same([started.status, started.readyAtMs, started.workflow, started.version], ["pending", null, null, null]);
      same(await t.events("q"), []);
    });

    test("a planned start is claimable from its time on; tags and no version are kept", async () => {
      await t.start("i", { workflow: "w", startAtMs: 1_000, tags: { env: "prod", "": "'" }, nowMs: 1 });
      const { readyAtMs, tags, version } = await t.read("i");
      same([readyAtMs, tags, version], [1_000, { env: "prod", "": "'" }, null]);
      same((await t.claim("worker", { nowMs: 999 })).work, []);
      same((await t.claim("worker", { nowMs: 1_000 })).work.length, 1);
    });

    test("idempotent: the same start attaches in any status; what is no part of the comparison may differ", async () => {
      await t.queue("i", { input: bytes("x"), tags: { a: "1" }, startAtMs: 5, timeoutMs: 10 });
      const before = await t.read("i");
      same(await t.queue("i", { input: bytes("x"), tags: {}, startAtMs: 9, seed: new Uint8Array(16), nowMs: 3 }), {
        outcome: "attached",
        status: "pending",
      });
      same(await t.read("i"), before);
      await t.register("i", { nowMs: 6 });
      same(await t.queue("i", { input: bytes("x") }), { outcome: "attached", status: "running" });
      await t.event("i", "failed");
      same(await t.queue("i", { input: bytes("x") }), { outcome: "attached", status: "failed" });
    });

    test("anything else under that id is a conflict that names each difference and changes nothing", async () => {
      await t.queue("i", { input: bytes("x") });
      const before = await t.read("i");
      const conflict = (...differs: string[]) => ({ outcome: "conflict", differs });
      same(await t.queue("i", { input: bytes("x"), tenantId: "other" }), conflict("tenant"));
      same(await t.queue("i", { input: bytes("x"), workflow: "v" }), conflict("workflow"));
      same(await t.queue("i", { input: bytes("x"), version: "2" }), conflict("version"));
      same(await t.queue("i", { input: bytes("y") }), conflict("input"));
      same(await t.queue("i", {}), conflict("input"));
      same(
        await t.start("i", { tenantId: "other", input: bytes("") }),
        conflict("tenant", "workflow", "version", "input"),
      );
      same(await t.read("i"), before);
    });

    test("no input is unlike an empty one", async () => {
      await t.start("none");
      await t.start("empty", { input: bytes("") });
      same(await t.start("none", { input: bytes("") }), { outcome: "conflict", differs: ["input"] });
      same(await t.start("empty"), { outcome: "conflict", differs: ["input"] });
      same((await t.start("none")).outcome, "attached");
      same((await t.start("empty", { input: bytes("") })).outcome, "attached");
    });

    test("what registered by itself is attached to by a start without workflow and input", async () => {
      await t.register("i");
      same(await t.start("i"), { outcome: "attached", status: "running" });
      same(await t.queue("i"), { outcome: "conflict", differs: ["workflow", "version"] });
    });

    test("exactly one of concurrent equal starts through two openings is told created", async () => {
      const other = await t.open();
      const start = { kind: "startInstance", tenantId: "t", workflow: "w", tags: {}, seed, nowMs: 1 } as const;
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? t.store : other).run({ ...start, instanceId: "i" })),
      );
      const outcomes = results.map(({ outcome }) => outcome).toSorted();
      assert.deepEqual(outcomes, [...Array.from({ length: 19 }, () => "attached"), "created"]);
    });

    test("a parent must exist, have this epoch and be running, in this order", async () => {
      const parent = { instanceId: "p", epoch: 1, resultSignal: "done", detached: false };
      same(await t.queue("c", { parent }), { outcome: "parentUnknown" });
      await t.register("p");
      same(await t.queue("c", { parent: { ...parent, epoch: 2 } }), { outcome: "fenced", epoch: 1 });
      await t.event("p", "suspended");
      same(await t.queue("c", { parent: { ...parent, epoch: 2 } }), { outcome: "fenced", epoch: 1 });
      same(await t.queue("c", { parent }), { outcome: "parentRefused", status: "suspended" });
      same(await t.run({ kind: "readInstance", instanceId: "c" }), { outcome: "unknownInstance" });
      await t.register("p");
      same(await t.queue("c", { parent: { ...parent, epoch: 2 } }), { outcome: "created", status: "pending" });
      same((await t.read("c")).parentInstanceId, "p");
    });

    test("a child that is attached has the same parent, and what has no parent is no child", async () => {
      for (const id of ["p", "other"]) await t.register(id);
      const parent = { instanceId: "p", epoch: 1, detached: true };
      await t.queue("c", { parent });
      await t.queue("alone");
      same(await t.queue("c", { parent }), { outcome: "attached", status: "pending" });
      same(await t.queue("c", { parent: { ...parent, instanceId: "other" } }), {
        outcome: "conflict",
        differs: ["parent"],
      });
      same(await t.queue("alone", { parent }), { outcome: "conflict", differs: ["parent"] });
    });

    test("I1: a start survives opening the database again", async () => {
      await t.queue("i", { input: bytes("x"), tags: { a: "b" } });
      const before = await t.read("i");
      await t.reopen();
      same(await t.read("i"), before);
      same(await t.queue("i", { input: bytes("x") }), { outcome: "attached", status: "pending" });
    });
  });
}
