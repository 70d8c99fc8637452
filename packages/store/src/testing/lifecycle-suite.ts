import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AppendEvent, Instance, Transition } from "@runtara/store";
import { bytes, type CreateHarness, ending, registrable, useStore } from "./harness.ts";

export function describeLifecycle(createHarness: CreateHarness): void {
  describe("instances and events", () => {
    const t = useStore(createHarness);

    async function read(instanceId: string): Promise<Instance> {
      const result = await t.store.run({ kind: "readInstance", instanceId });
      assert.ok(result.outcome === "found");
      return result.instance;
    }
    const append = (type: AppendEvent["type"], transitions: readonly Transition[], more: Partial<AppendEvent> = {}) =>
      t.store.run({ kind: "appendEvent", instanceId: "i", type, createdAtMs: 100, transitions, nowMs: 200, ...more });

    test("registration creates, counts registrations and keeps the first start", async () => {
      assert.deepEqual(await t.register("i", { nowMs: 10 }), {
        outcome: "registered",
        epoch: 1,
        checkpointCount: 0,
        created: true,
      });
      await t.save("i", "a", "x");
      assert.deepEqual(await t.register("i", { nowMs: 20 }), {
        outcome: "registered",
        epoch: 2,
        checkpointCount: 1,
        created: false,
      });
      const instance = await read("i");
      assert.deepEqual(
        [instance.status, instance.tenantId, instance.createdAtMs, instance.firstStartedAtMs, instance.startedAtMs],
        ["running", "tenant", 10, 10, 20],
      );
      const { events } = await t.store.run({ kind: "listEvents", instanceId: "i", limit: 10 });
      assert.deepEqual(
        events.map(({ type, createdAtMs }) => [type, createdAtMs]),
        [
          ["started", 20],
          ["started", 10],
        ],
      );
    });

    test("a registration that names a checkpoint needs that checkpoint, and a refused one changes nothing", async () => {
      assert.deepEqual(await t.register("i", { checkpointId: "a" }), { outcome: "checkpointMissing" });
      assert.deepEqual(await t.store.run({ kind: "readInstance", instanceId: "i" }), { outcome: "unknownInstance" });
      await t.register("i");
      await t.save("i", "a", "x");
      await t.store.run({ kind: "recordRetry", instanceId: "i", checkpointId: "k", attempt: 2, nowMs: 1 });
      assert.equal((await t.register("i", { checkpointId: "a" })).outcome, "registered");
      assert.equal((await t.register("i", { checkpointId: "k::retry::2" })).outcome, "registered");
      assert.deepEqual(await t.register("other", { checkpointId: "a" }), { outcome: "checkpointMissing" });
    });

    test("I4: registration clears what an earlier life left; a status outside the list is refused", async () => {
      await t.register("i");
      await append("failed", [
        { from: registrable, to: "suspended", ends: false, set: { output: bytes("o"), error: "e", finishedAtMs: 5 } },
      ]);
      await t.register("i");
      const { output, error, finishedAtMs, status } = await read("i");
      assert.deepEqual([output, error, finishedAtMs, status], [null, null, null, "running"]);
      await append("completed", [ending("completed")]);
      assert.deepEqual(await t.register("i"), { outcome: "refused", status: "completed" });
    });

    test("creating an id twice is told apart", async () => {
      const create = { kind: "createInstance", instanceId: "i", tenantId: "t", nowMs: 7 } as const;
      assert.deepEqual(await t.store.run(create), { outcome: "created" });
      assert.deepEqual(await t.store.run(create), { outcome: "exists" });
      const instance = await read("i");
      assert.deepEqual([instance.status, instance.startedAtMs, instance.epoch], ["pending", null, 0]);
    });

    test("an event and its change of status are both there, in every column", async () => {
      await t.register("i");
      const done = ending("completed", { output: bytes("out"), error: null, finishedAtMs: 300 });
      const stored = await append("completed", [done], { payload: bytes("out"), checkpointId: "c", subtype: "s" });
      assert.deepEqual(stored, { outcome: "stored", status: "completed" });
      const instance = await read("i");
      assert.deepEqual(
        [instance.status, instance.output, instance.error, instance.finishedAtMs],
        ["completed", bytes("out"), null, 300],
      );
      const { events } = await t.store.run({ kind: "listEvents", instanceId: "i", limit: 1 });
      assert.deepEqual(events[0], {
        type: "completed",
        subtype: "s",
        checkpointId: "c",
        payload: bytes("out"),
        createdAtMs: 100,
        receivedAtMs: 200,
      });
    });

    test("I4: a transition whose guard does not hold stores the event and changes nothing", async () => {
      await t.register("i");
      await append("completed", [ending("completed", { output: bytes("first"), finishedAtMs: 1 })]);
      const late = await append("failed", [ending("failed", { output: null, error: "late", finishedAtMs: 2 })]);
      assert.deepEqual(late, { outcome: "stored", status: "completed" });
      const instance = await read("i");
      assert.deepEqual([instance.output, instance.error, instance.finishedAtMs], [bytes("first"), null, 1]);
      assert.equal((await t.store.run({ kind: "listEvents", instanceId: "i", limit: 10 })).events.length, 3);
    });

    test("columns that a transition does not name stay", async () => {
      await t.register("i");
      await append("suspended", [
        { from: registrable, to: "suspended", ends: false, set: { output: bytes("o"), error: "e" } },
      ]);
      await append("suspended", [ending("cancelled", { finishedAtMs: 9 })]);
      const instance = await read("i");
      assert.deepEqual(
        [instance.status, instance.output, instance.error, instance.finishedAtMs],
        ["cancelled", bytes("o"), "e", 9],
      );
    });

    test("events of unknown instances are refused; absent fields are null; times may be negative or far away", async () => {
      assert.deepEqual(await append("custom", []), { outcome: "unknownInstance" });
      await t.register("i");
      for (const createdAtMs of [-8_334_601_228_800_000, 0, 8_210_266_876_799_999])
        await append("heartbeat", [], { createdAtMs });
      const { events } = await t.store.run({ kind: "listEvents", instanceId: "i", limit: 2, offset: 2 });
      assert.deepEqual(
        events.map((event) => [event.createdAtMs, event.payload, event.subtype, event.checkpointId]),
        [
          [0, null, null, null],
          [-8_334_601_228_800_000, null, null, null],
        ],
      );
    });

    test("instances are listed newest first, by tenant and status, in pages", async () => {
      for (const [n, tenantId] of ["t1", "t2", "t1"].entries()) {
        await t.store.run({ kind: "createInstance", instanceId: `i${n}`, tenantId, nowMs: n });
      }
      await t.register("i0");
      const list = async (filter: object) => {
        const { instances } = await t.store.run({ kind: "listInstances", limit: 10, ...filter });
        return instances.map(({ instanceId }) => instanceId);
      };
      assert.deepEqual(await list({}), ["i2", "i1", "i0"]);
      assert.deepEqual(await list({ tenantId: "t1" }), ["i2", "i0"]);
      assert.deepEqual(await list({ status: "running" }), ["i0"]);
      assert.deepEqual(await list({ limit: 1, offset: 1 }), ["i1"]);
      assert.deepEqual(await list({ limit: 0 }), []);
    });
  });
}
