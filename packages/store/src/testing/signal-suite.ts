import { describe, test } from "node:test";
import type { SignalType } from "@runtara/store";
import { type CreateHarness, useStore } from "./harness.ts";
import { bytes, same } from "./values.ts";

export function describeSignals(createHarness: CreateHarness): void {
  describe("signals", () => {
    const t = useStore(createHarness);
    const acknowledge = (signal: SignalType, epoch?: number) =>
      t.run({
        kind: "acknowledgeSignal",
        instanceId: "i",
        signal,
        nowMs: 5,
        ...(epoch === undefined ? {} : { epoch }),
      });
    const polled = (type?: SignalType, payload = "") => ({
      outcome: "polled",
      signal: type === undefined ? undefined : { type, payload: bytes(payload) },
      custom: undefined,
    });
    const done = (outcome: string, status: string) => ({ outcome, status, unsettled: false });

    test("I6: a signal is delivered by poll and checkpoint until it is acknowledged, never after", async () => {
      await t.register("i");
      same(await t.signal("i", "pause", { payload: bytes("why") }), done("sent", "running"));
      for (let n = 0; n < 2; n += 1) same(await t.poll("i"), polled("pause", "why"));
      same(await t.save("i", "a", "x"), {
        outcome: "saved",
        state: bytes(""),
        signal: { type: "pause", payload: bytes("why") },
      });
      same(await t.save("i", "a", "x"), {
        outcome: "found",
        state: bytes("x"),
        signal: { type: "pause", payload: bytes("why") },
      });
      same(await acknowledge("pause"), done("acknowledged", "running"));
      same(await t.poll("i"), polled());
      same(await acknowledge("pause"), { outcome: "notPending", pending: undefined });
      await t.reopen();
      same(await t.poll("i"), polled());
      same(await t.save("i", "b", "x"), { outcome: "saved", state: bytes("") });
    });

    test("I6: an acknowledgement of another type than the pending one changes nothing", async () => {
      await t.register("i");
      await t.signal("i", "pause");
      const before = await t.read("i");
      same(await acknowledge("cancel"), { outcome: "notPending", pending: "pause" });
      same(await acknowledge("resume"), { outcome: "notPending", pending: "pause" });
      same(await t.poll("i"), polled("pause"));
      same(await t.read("i"), before);
    });

    test("I6: a pending cancel is not replaced, not even its payload; any other signal is", async () => {
      await t.register("i");
      await t.signal("i", "pause", { payload: bytes("1") });
      await t.signal("i", "resume", { payload: bytes("2") });
      same(await t.poll("i"), polled("resume", "2"));
      await t.signal("i", "cancel", { payload: bytes("3") });
      for (const signal of ["pause", "resume", "cancel"] as const)
        same(await t.signal("i", signal, { payload: bytes("later") }), done("cancelKept", "running"));
      same(await t.poll("i"), polled("cancel", "3"));
    });

    test("an acknowledged cancel ends the instance as cancelled", async () => {
      await t.register("i");
      await t.signal("i", "cancel");
      same(await acknowledge("cancel"), done("acknowledged", "cancelled"));
      const { status, reason, finishedAtMs } = await t.read("i");
      same([status, reason, finishedAtMs], ["cancelled", "cancelled", 5]);
      same(await t.save("i", "a", "x"), { outcome: "refused", status: "cancelled" });
    });

    test("a new signal after an acknowledged one is delivered", async () => {
      await t.register("i");
      await t.signal("i", "resume");
      await acknowledge("resume");
      await t.signal("i", "pause", { payload: bytes("new") });
      same(await t.poll("i"), polled("pause", "new"));
    });

    test("in a final status: acknowledged where one is pending, no other effect", async () => {
      await t.register("i");
      await t.signal("i", "cancel");
      await t.event("i", "completed", { output: bytes("out") });
      const before = await t.read("i");
      same(await t.poll("i"), polled("cancel"));
      same(await acknowledge("cancel"), done("acknowledged", "completed"));
      same(await t.read("i"), before);
      same(await t.poll("i"), polled());
      same(await acknowledge("cancel"), { outcome: "notPending" });
    });

    test("sending is refused in a final status and for unknown ids", async () => {
      same(await t.signal("i", "cancel"), { outcome: "unknownInstance" });
      await t.register("i");
      await t.event("i", "failed");
      for (const signal of ["cancel", "pause", "resume"] as const)
        same(await t.signal("i", signal), { outcome: "refused", status: "failed" });
      same(await t.poll("i"), polled());
    });

    test("I9: an instance of another tenant counts as one that does not exist", async () => {
      await t.register("i");
      same(await t.signal("i", "cancel", { tenantId: "other" }), { outcome: "unknownInstance" });
      same(await t.poll("i"), polled());
      same(await t.signal("i", "cancel", { tenantId: "t" }), done("sent", "running"));
    });

    test("a pending instance is cancelled at once, with its event", async () => {
      await t.start("i");
      same(await t.signal("i", "cancel", { nowMs: 9 }), done("sent", "cancelled"));
      const { status, reason, finishedAtMs } = await t.read("i");
      same([status, reason, finishedAtMs], ["cancelled", "cancelled", 9]);
      same(
        (await t.events("i")).map(({ type, subtype, createdAtMs }) => [type, subtype, createdAtMs]),
        [["custom", "cancelled", 9]],
      );
    });

    test("a suspended one that no worker can wake is cancelled at once; pause and resume wait in the slot", async () => {
      await t.register("i");
      await t.event("i", "suspended");
      same(await t.signal("i", "pause"), done("sent", "suspended"));
      same(await t.poll("i"), polled("pause"));
      same(await t.signal("i", "resume"), done("sent", "suspended"));
      same(await t.poll("i"), polled("resume"));
      same(await t.signal("i", "cancel"), done("sent", "cancelled"));
    });

    test("a suspended one that a worker can wake keeps the cancel and becomes claimable", async () => {
      await t.claimed("i", "worker");
      await t.event("i", "suspended", { epoch: 1, nowMs: 2 });
      same((await t.read("i")).readyAtMs, null);
      same(await t.signal("i", "cancel", { nowMs: 30 }), done("sent", "suspended"));
      same((await t.read("i")).readyAtMs, 30);
      same(await t.poll("i"), polled("cancel"));
    });

    test("a pause suspends what nobody runs, a resume makes it claimable", async () => {
      await t.queue("i");
      same(await t.signal("i", "pause", { nowMs: 3 }), done("sent", "suspended"));
      const paused = await t.read("i");
      same([paused.status, paused.reason, paused.readyAtMs], ["suspended", "paused", null]);
      same(await t.signal("i", "resume", { nowMs: 4 }), done("sent", "suspended"));
      const resumed = await t.read("i");
      same([resumed.status, resumed.reason, resumed.readyAtMs], ["suspended", null, 4]);
      same(await t.poll("i"), polled());
    });

    test("I5: a poll and an acknowledgement of another epoch are fenced, an unknown one is told so", async () => {
      const poll = { kind: "pollSignals", instanceId: "i", nowMs: 1 } as const;
      same(await t.run(poll), { outcome: "unknownInstance" });
      same(await acknowledge("cancel"), { outcome: "unknownInstance" });
      await t.register("i");
      await t.register("i");
      await t.signal("i", "cancel");
      same(await t.run({ ...poll, epoch: 1 }), { outcome: "fenced", epoch: 2 });
      same(await t.run({ ...poll, epoch: 2 }), polled("cancel"));
      same(await acknowledge("cancel", 1), { outcome: "fenced", epoch: 2 });
      same((await t.read("i")).status, "running");
      same((await acknowledge("cancel", 2)).outcome, "acknowledged");
    });

    test("what one opening of the database sends the other delivers", async () => {
      await t.register("i");
      same(await t.poll("i"), polled());
      const other = await t.open();
      await other.run({ kind: "sendSignal", instanceId: "i", signal: "cancel", nowMs: 1 });
      same(await t.poll("i"), polled("cancel"));
      await other.run({ kind: "acknowledgeSignal", instanceId: "i", signal: "cancel", nowMs: 1 });
      same(await t.poll("i"), polled());
      same(await t.save("i", "b", "x"), { outcome: "refused", status: "cancelled" });
    });
  });
}
