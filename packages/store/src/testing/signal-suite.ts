import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SendSignal, SignalType, Transition } from "@runtara/store";
import { bytes, type CreateHarness, ending, registrable, useStore } from "./harness.ts";

export function describeSignals(createHarness: CreateHarness): void {
  describe("signals", () => {
    const t = useStore(createHarness);

    const send = (signal: SignalType, payload?: string, more: Partial<SendSignal> = {}) =>
      t.store.run({
        kind: "sendSignal",
        instanceId: "i",
        signal,
        ...(payload === undefined ? {} : { payload: bytes(payload) }),
        allowedIn: registrable,
        transitions: [],
        nowMs: 1,
        ...more,
      });
    const poll = async (checkpointId?: string) => {
      const id = checkpointId === undefined ? {} : { checkpointId };
      const result = await t.store.run({ kind: "pollSignals", instanceId: "i", ...id });
      assert.ok(result.outcome === "polled");
      return { signal: result.signal, custom: result.custom };
    };
    const acknowledge = (signal: SignalType, transitions: readonly Transition[] = []) =>
      t.store.run({ kind: "acknowledgeSignal", instanceId: "i", signal, transitions, nowMs: 5 });
    const sendCustom = (checkpointId: string, payload?: string) => {
      const content = payload === undefined ? {} : { payload: bytes(payload) };
      return t.store.run({ kind: "sendCustomSignal", instanceId: "i", checkpointId, ...content, nowMs: 1 });
    };

    test("I6: a signal is delivered by poll and checkpoint until it is acknowledged, never after", async () => {
      await t.register("i");
      assert.deepEqual(await send("pause", "why"), { outcome: "sent", status: "running" });
      const pause = { type: "pause", payload: bytes("why") };
      for (let n = 0; n < 2; n += 1) assert.deepEqual(await poll(), { signal: pause, custom: undefined });
      const saved = await t.save("i", "a", "x");
      assert.ok(saved.outcome === "saved");
      assert.deepEqual(saved.signal, pause);
      assert.deepEqual(await acknowledge("pause"), { outcome: "acknowledged", status: "running" });
      assert.deepEqual(await poll(), { signal: undefined, custom: undefined });
      assert.deepEqual(await acknowledge("pause"), { outcome: "notPending", pending: undefined });
      await t.reopen();
      assert.deepEqual(await poll(), { signal: undefined, custom: undefined });
    });

    test("I6: an acknowledgement of another type than the pending one changes nothing", async () => {
      await t.register("i");
      await send("pause");
      assert.deepEqual(await acknowledge("cancel", [ending("cancelled")]), { outcome: "notPending", pending: "pause" });
      assert.deepEqual((await poll()).signal, { type: "pause", payload: bytes("") });
      assert.equal((await t.save("i", "a", "x")).outcome, "saved");
    });

    test("I6: a pending cancel is not replaced; any other signal is", async () => {
      await t.register("i");
      await send("pause", "1");
      await send("resume", "2");
      assert.deepEqual((await poll()).signal, { type: "resume", payload: bytes("2") });
      await send("cancel", "3");
      for (const signal of ["pause", "resume", "cancel"] as const) {
        assert.deepEqual(await send(signal, "later"), { outcome: "cancelKept", status: "running" });
      }
      assert.deepEqual((await poll()).signal, { type: "cancel", payload: bytes("3") });
      assert.deepEqual(await acknowledge("cancel", [ending("cancelled")]), {
        outcome: "acknowledged",
        status: "cancelled",
      });
    });

    test("a new signal after an acknowledged one is delivered", async () => {
      await t.register("i");
      await send("cancel");
      await acknowledge("cancel");
      await send("pause", "new");
      assert.deepEqual((await poll()).signal, { type: "pause", payload: bytes("new") });
    });

    test("sending is refused outside the allowed statuses and for unknown ids, and may change the status", async () => {
      assert.deepEqual(await send("cancel"), { outcome: "unknownInstance" });
      await t.store.run({ kind: "createInstance", instanceId: "i", tenantId: "t", nowMs: 1 });
      assert.deepEqual(await send("pause", "x", { allowedIn: ["running"] }), { outcome: "refused", status: "pending" });
      assert.deepEqual(await poll(), { signal: undefined, custom: undefined });
      assert.deepEqual(await send("cancel", undefined, { transitions: [ending("cancelled")] }), {
        outcome: "sent",
        status: "cancelled",
      });
    });

    test("a transition that needs a pending cancel holds only with one", async () => {
      await t.register("i");
      const transitions: Transition[] = [
        { ...ending("cancelled"), whenPending: "cancel" },
        { from: ["running"], to: "suspended", ends: false },
      ];
      const suspend = {
        kind: "appendEvent",
        instanceId: "i",
        type: "suspended",
        createdAtMs: 1,
        transitions,
        nowMs: 1,
      } as const;
      await send("pause");
      assert.deepEqual(await t.store.run(suspend), { outcome: "stored", status: "suspended" });
      await t.register("i");
      await send("cancel");
      assert.deepEqual(await t.store.run(suspend), { outcome: "stored", status: "cancelled" });
    });

    test("a custom signal is gone with the transaction that answers it, by poll or by checkpoint", async () => {
      await t.register("i");
      await sendCustom("a", "1");
      await sendCustom("a", "2");
      await sendCustom("b");
      await sendCustom("", "empty id");
      assert.deepEqual(await poll(), { signal: undefined, custom: undefined });
      assert.deepEqual((await poll("c")).custom, undefined);
      assert.deepEqual((await poll("a")).custom, { checkpointId: "a", payload: bytes("2") });
      assert.deepEqual((await poll("a")).custom, undefined);
      const saved = await t.save("i", "b", "x");
      assert.ok(saved.outcome === "saved");
      assert.deepEqual(saved.custom, { checkpointId: "b", payload: bytes("") });
      assert.deepEqual((await poll("")).custom, { checkpointId: "", payload: bytes("empty id") });
      await t.reopen();
      for (const id of ["a", "b", ""]) assert.equal((await poll(id)).custom, undefined);
    });

    test("a refused checkpoint takes no custom signal, and every status may be sent one", async () => {
      assert.deepEqual(await sendCustom("a"), { outcome: "unknownInstance" });
      await t.store.run({ kind: "createInstance", instanceId: "i", tenantId: "t", nowMs: 1 });
      await sendCustom("a", "kept");
      assert.equal((await t.save("i", "a", "x")).outcome, "refused");
      assert.deepEqual((await poll("a")).custom, { checkpointId: "a", payload: bytes("kept") });
    });

    test("what one opening of the database sends the other delivers", async () => {
      await t.register("i");
      assert.deepEqual(await poll(), { signal: undefined, custom: undefined });
      const other = await t.open();
      await other.run({
        kind: "sendSignal",
        instanceId: "i",
        signal: "cancel",
        allowedIn: registrable,
        transitions: [],
        nowMs: 1,
      });
      await other.run({ kind: "sendCustomSignal", instanceId: "i", checkpointId: "a", nowMs: 1 });
      const saved = await t.save("i", "a", "x");
      assert.ok(saved.outcome === "saved");
      assert.deepEqual([saved.signal?.type, saved.custom?.checkpointId], ["cancel", "a"]);
      await other.run({
        kind: "acknowledgeSignal",
        instanceId: "i",
        signal: "cancel",
        transitions: [ending("cancelled")],
        nowMs: 1,
      });
      assert.deepEqual(await t.save("i", "b", "x"), { outcome: "refused", status: "cancelled" });
    });
  });
}
