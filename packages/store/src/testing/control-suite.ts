import { describe, test } from "node:test";
import { type CreateHarness, useStore } from "./harness.ts";
import { bytes, same } from "./values.ts";

export function describeOrders(createHarness: CreateHarness): void {
  describe("orders of an operator", () => {
    const t = useStore(createHarness);
    const done = (status: string, unsettled = false) => ({ outcome: "done", status, unsettled });
    const pending = async (id: string) => {
      const result = await t.poll(id);
      return result.outcome === "polled" ? result.signal : undefined;
    };

    test("kill ends at once from every status that is not final; the process is fenced, the words are kept", async () => {
      await t.start("pending");
      await t.register("running");
      await t.register("suspended");
      await t.event("suspended", "suspended");
      for (const id of ["pending", "running", "suspended"]) {
        const { epoch } = await t.read(id);
        same(await t.control(id, "kill", { text: "enough", nowMs: 8 }), done("cancelled"));
        const killed = await t.read(id);
        same([killed.status, killed.reason, killed.reasonText], ["cancelled", "killed", "enough"]);
        same([killed.finishedAtMs, killed.epoch], [8, epoch + 1]);
        same(await t.save(id, "a", "x", { epoch }), { outcome: "fenced", epoch: epoch + 1 });
        const { type, subtype, payload } = (await t.events(id)).at(-1) ?? {};
        same([type, subtype, payload], ["custom", "cancelled", bytes("enough")]);
      }
    });

    test("a killed instance's worker is told of the loss", async () => {
      await t.claimed("i", "worker");
      await t.control("i", "kill");
      same((await t.read("i")).holder, null);
      same((await t.run({ kind: "renewLease", workerId: "worker", leaseMs: 1, nowMs: 2 })).lost, ["i"]);
    });

    test("repeatable: in a final status every order answers done and changes nothing", async () => {
      await t.register("i");
      await t.event("i", "completed", { output: bytes("x") });
      const before = await t.read("i");
      for (const order of ["cancel", "kill", "pause", "resume"] as const)
        same(await t.control("i", order, { text: "late", nowMs: 9 }), done("completed"));
      same(await t.read("i"), before);
      same((await t.events("i")).length, 2);
      same(await pending("i"), undefined);
    });

    test("unknown and other tenants' instances", async () => {
      same(await t.control("i", "kill"), { outcome: "unknownInstance" });
      await t.register("i");
      same(await t.control("i", "kill", { tenantId: "other" }), { outcome: "unknownInstance" });
      same((await t.read("i")).status, "running");
      same(await t.control("i", "kill", { tenantId: "t" }), done("cancelled"));
    });

    test("cancel: a running one is asked, with the words as payload, and asked once", async () => {
      await t.register("i");
      same(await t.control("i", "cancel", { text: "stop" }), done("running"));
      same(await t.control("i", "cancel", { text: "stop again" }), done("running"));
      same(await pending("i"), { type: "cancel", payload: bytes("stop") });
      same((await t.read("i")).status, "running");
    });

    test("cancel: a pending one, and a suspended one that no worker can wake, end at once", async () => {
      await t.queue("queued");
      await t.start("started");
      await t.register("plain");
      await t.event("plain", "suspended");
      for (const id of ["queued", "started", "plain"]) {
        same(await t.control(id, "cancel", { text: "no" }), done("cancelled"));
        const { reason, reasonText, readyAtMs } = await t.read(id);
        same([reason, reasonText, readyAtMs], ["cancelled", "no", null], id);
      }
      same((await t.claim("worker")).work, []);
    });

    test("pause: one that nobody runs is suspended at once, a running one is asked", async () => {
      await t.queue("queued");
      same(await t.control("queued", "pause", { nowMs: 4 }), done("suspended"));
      const paused = await t.read("queued");
      same([paused.reason, paused.readyAtMs], ["paused", null]);
      same((await t.claim("worker", { nowMs: 99 })).work, []);
      same(await t.control("queued", "pause"), done("suspended"));
      same((await t.events("queued")).length, 1, "the second changes nothing");
      await t.register("i");
      same(await t.control("i", "pause", { text: "wait" }), done("running"));
      same(await pending("i"), { type: "pause", payload: bytes("wait") });
    });

    test("pause, then resume: the plan is forgotten, it is claimable at once", async () => {
      await t.queue("i", { startAtMs: 10_000 });
      await t.control("i", "pause");
      same(await t.control("i", "resume", { nowMs: 20 }), done("suspended"));
      const { status, reason, readyAtMs } = await t.read("i");
      same([status, reason, readyAtMs], ["suspended", null, 20]);
      same((await t.claim("worker", { nowMs: 20 })).work.length, 1);
    });

    test("resume of a planned start changes nothing: it is pending already", async () => {
      await t.queue("i", { startAtMs: 10_000 });
      const before = await t.read("i");
      same(await t.control("i", "resume"), done("pending"));
      same(await t.read("i"), before);
    });

    test("resume answers a pause that is not obeyed yet, and wakes a diverged one", async () => {
      await t.register("i");
      await t.control("i", "pause");
      same(await t.control("i", "resume"), done("running"));
      same(await pending("i"), { type: "resume", payload: bytes("") });
      await t.claimed("d", "worker");
      await t.event("d", "suspended", { reason: "diverged" });
      same(await t.control("d", "pause"), done("suspended"));
      same((await t.read("d")).reason, "diverged");
      await t.control("d", "resume", { nowMs: 7 });
      same((await t.read("d")).readyAtMs, 7);
    });

    test("an end by order with attached children is unsettled", async () => {
      await t.register("p");
      await t.queue("c", { parent: { instanceId: "p", epoch: 1, detached: false } });
      same(await t.control("p", "kill"), done("cancelled", true));
      same(await t.control("p", "kill"), done("cancelled", true));
    });
  });
}
