import { describe, test } from "node:test";
import { type CreateHarness, useStore } from "./harness.ts";
import { bytes, same } from "./values.ts";

export function describeEvents(createHarness: CreateHarness): void {
  describe("events", () => {
    const t = useStore(createHarness);
    const stored = (status: string, unsettled = false) => ({ outcome: "stored", status, unsettled });

    test("I4: an event and its change of status are both there, in every column", async () => {
      await t.register("i");
      const content = { payload: bytes("out"), checkpointId: "c", subtype: "s", createdAtMs: 100, nowMs: 200 };
      same(await t.event("i", "completed", { ...content, output: bytes("out") }), stored("completed"));
      const { status, reason, output, error, failure, finishedAtMs } = await t.read("i");
      same(
        [status, reason, output, error, failure, finishedAtMs],
        ["completed", "reported", bytes("out"), null, null, 200],
      );
      same((await t.events("i")).at(-1), {
        type: "completed",
        subtype: "s",
        checkpointId: "c",
        payload: bytes("out"),
        createdAtMs: 100,
        receivedAtMs: 200,
      });
    });

    test("a failure keeps its text and its structure and has no output", async () => {
      await t.register("i");
      same(
        await t.event("i", "failed", { error: "boom", failure: bytes("{}"), output: bytes("no") }),
        stored("failed"),
      );
      const { status, reason, output, error, failure } = await t.read("i");
      same([status, reason, output, error, failure], ["failed", "reported", null, "boom", bytes("{}")]);
    });

    test("a completion without an output has none", async () => {
      await t.register("i");
      await t.event("i", "completed", { error: "not of a completion" });
      const { output, error, failure } = await t.read("i");
      same([output, error, failure], [null, null, null]);
    });

    test("heartbeat and custom events change no status and no result", async () => {
      await t.register("i");
      for (const type of ["heartbeat", "custom"] as const)
        same(await t.event("i", type, { output: bytes("no"), error: "no", nowMs: 5 }), stored("running"));
      const { status, output, error, finishedAtMs } = await t.read("i");
      same([status, output, error, finishedAtMs], ["running", null, null, null]);
      same(
        (await t.events("i")).map(({ type }) => type),
        ["started", "heartbeat", "custom"],
      );
    });

    test("I4: on a finished instance the row is stored and nothing else changes", async () => {
      await t.register("i");
      await t.event("i", "completed", { output: bytes("first"), nowMs: 4 });
      const before = await t.read("i");
      for (const type of ["failed", "completed", "suspended", "custom"] as const) {
        const late = { output: bytes("late"), error: "late", failure: bytes("late"), nowMs: 9 };
        same(await t.event("i", type, late), stored("completed"));
      }
      same(await t.read("i"), before);
      same((await t.events("i")).length, 6);
    });

    test("refused: unknown, then fenced, and no row is written", async () => {
      same(await t.event("i", "custom"), { outcome: "unknownInstance" });
      await t.register("i");
      await t.register("i");
      same(await t.event("i", "completed", { epoch: 1 }), { outcome: "fenced", epoch: 2 });
      same((await t.read("i")).status, "running");
      same((await t.events("i")).length, 2);
      same(await t.event("i", "completed", { epoch: 2 }), stored("completed"));
    });

    test("absent fields are null; the client's times may lie before 1970 and far ahead", async () => {
      await t.register("i");
      const times = [-200_000_000_000_000, 8_000_000_000_000_000, 0];
      for (const createdAtMs of times) await t.event("i", "heartbeat", { createdAtMs });
      const page = await t.run({ kind: "listEvents", instanceId: "i", type: "heartbeat", limit: 10 });
      same(page, {
        outcome: "page",
        total: 3,
        events: [times[1], times[2], times[0]].map((createdAtMs) => ({
          type: "heartbeat",
          subtype: null,
          checkpointId: null,
          payload: null,
          createdAtMs,
          receivedAtMs: 1,
        })),
      });
    });

    test("no payload is unlike an empty one", async () => {
      await t.register("i");
      await t.event("i", "custom", { payload: bytes("") });
      await t.event("i", "custom");
      same(
        (await t.events("i")).slice(1).map(({ payload }) => payload),
        [bytes(""), null],
      );
    });

    test("suspending lets go: the reason is the one given, else paused after an acknowledged pause, else none", async () => {
      await t.register("plain");
      same(await t.event("plain", "suspended"), stored("suspended"));
      await t.register("given");
      await t.event("given", "suspended", { reason: "diverged" });
      await t.register("paused");
      await t.signal("paused", "pause");
      await t.run({ kind: "acknowledgeSignal", instanceId: "paused", signal: "pause", nowMs: 2 });
      await t.event("paused", "suspended");
      const reasons = await Promise.all(["plain", "given", "paused"].map(async (id) => (await t.read(id)).reason));
      same(reasons, [null, "diverged", "paused"]);
    });

    test("a pause of an earlier registration does not count", async () => {
      await t.register("i");
      await t.signal("i", "pause");
      await t.run({ kind: "acknowledgeSignal", instanceId: "i", signal: "pause", nowMs: 2 });
      await t.register("i", { nowMs: 3 });
      await t.event("i", "suspended", { nowMs: 4 });
      same((await t.read("i")).reason, null);
    });

    test("suspending with a cancel that is not acknowledged ends as cancelled, paused or not", async () => {
      for (const reason of [undefined, "paused", "diverged"] as const) {
        const id = `${reason}`;
        await t.register(id);
        await t.signal(id, "cancel");
        same(await t.event(id, "suspended", reason === undefined ? {} : { reason }), stored("cancelled"));
        const { status, reason: ended } = await t.read(id);
        same([status, ended], ["cancelled", "cancelled"]);
        same(await t.run({ kind: "pollSignals", instanceId: id, nowMs: 1 }), { outcome: "polled" }, "acknowledged");
      }
    });

    test("a resume that came before the suspension makes one of a worker claimable at once", async () => {
      await t.claimed("i", "worker");
      await t.signal("i", "pause");
      await t.signal("i", "resume");
      await t.event("i", "suspended", { reason: "paused", nowMs: 40, epoch: 1 });
      const { status, reason, readyAtMs, holder } = await t.read("i");
      same([status, reason, readyAtMs, holder], ["suspended", null, 40, null]);
      same(await t.poll("i"), { outcome: "polled" });
    });

    test("a suspended instance that suspends again stays as it is", async () => {
      await t.register("i");
      await t.event("i", "suspended", { reason: "paused" });
      same(await t.event("i", "suspended", { reason: "diverged" }), stored("suspended"));
      same((await t.read("i")).reason, "paused");
      same((await t.events("i")).length, 3);
    });

    test("pending and suspended instances may report their end", async () => {
      await t.start("pending");
      same(await t.event("pending", "completed", { output: bytes("x") }), stored("completed"));
      await t.register("suspended");
      await t.event("suspended", "suspended");
      same(await t.event("suspended", "failed", { error: "x" }), stored("failed"));
      same((await t.read("suspended")).error, "x");
    });

    test("an end with a parent to tell or attached children is unsettled", async () => {
      await t.register("p");
      const parent = { instanceId: "p", epoch: 1, detached: false };
      await t.queue("c", { parent: { ...parent, resultSignal: "done" } });
      same(await t.event("c", "completed"), stored("completed", true));
      same(await t.event("p", "completed"), stored("completed", true));
    });
  });
}
