import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SaveCheckpointResult } from "@runtara/store";
import { type CreateHarness, useStore } from "./harness.ts";
import { bytes, same } from "./values.ts";

export function describeCheckpoints(createHarness: CreateHarness): void {
  describe("checkpoints", () => {
    const t = useStore(createHarness);

    test("I3: the first state stays, whatever is sent later", async () => {
      await t.register("i");
      same(await t.save("i", "a", "one", { nowMs: 5 }), saved());
      same(await t.save("i", "a", "two"), found("one"));
      same(await t.save("i", "a", ""), found("one"));
      same(await t.load("i", "a"), { outcome: "found", state: bytes("one"), createdAtMs: 5 });
    });

    test("I2: of a hundred first saves at once one is told saved, all others get its bytes", async () => {
      await t.register("i");
      const other = await t.open();
      const save = { kind: "saveCheckpoint", instanceId: "i", checkpointId: "race" } as const;
      const results = await Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          (n % 2 === 0 ? t.store : other).run({ ...save, state: bytes(`caller ${n}`), nowMs: n }),
        ),
      );
      const winner = results.findIndex(({ outcome }) => outcome === "saved");
      assert.notEqual(winner, -1);
      same(
        results,
        results.map((_, n) => (n === winner ? saved() : found(`caller ${winner}`))),
      );
    });

    test("only a running instance may save, and a refusal changes nothing", async () => {
      same(await t.save("nobody", "a", "x"), { outcome: "unknownInstance" });
      await t.start("i");
      same(await t.save("i", "a", "x"), { outcome: "refused", status: "pending" });
      await t.register("i");
      await t.save("i", "b", "x");
      for (const [type, status] of [
        ["suspended", "suspended"],
        ["completed", "completed"],
      ] as const) {
        await t.event("i", type);
        same(await t.save("i", "a", "x"), { outcome: "refused", status });
        same(await t.save("i", "b", "x"), { outcome: "refused", status }, "found or not");
      }
      same(await t.load("i", "a"), { outcome: "missing" });
      same(await t.load("nobody", "a"), { outcome: "unknownInstance" });
      same((await t.read("i")).checkpointCount, 1);
    });

    test("I5: an epoch that is not the present one is fenced before the status is looked at, and writes nothing", async () => {
      await t.register("i");
      await t.register("i");
      same(await t.save("i", "a", "x", { epoch: 1 }), { outcome: "fenced", epoch: 2 });
      same(await t.save("i", "a", "x", { epoch: 3 }), { outcome: "fenced", epoch: 2 });
      same(await t.load("i", "a"), { outcome: "missing" });
      same(await t.save("i", "a", "x", { epoch: 2 }), saved());
      same(await t.save("i", "b", "x"), saved());
      await t.event("i", "completed");
      same(await t.save("i", "a", "x", { epoch: 1 }), { outcome: "fenced", epoch: 2 });
      same(await t.save("i", "a", "x", { epoch: 2 }), { outcome: "refused", status: "completed" });
    });

    test("I5: a registration through another opening fences at once", async () => {
      await t.register("i");
      same(await t.save("i", "a", "x", { epoch: 1 }), saved());
      const other = await t.open();
      await other.run({
        kind: "registerInstance",
        instanceId: "i",
        tenantId: "t",
        checkTenant: false,
        seed: bytes("0123456789abcdef"),
        nowMs: 2,
        staleAfterMs: 0,
      });
      same(await t.save("i", "b", "x", { epoch: 1 }), { outcome: "fenced", epoch: 2 });
      same(await t.load("i", "b"), { outcome: "missing" });
    });

    test("the pointer is the last newly saved id, the count that of the ids, the last call that of a save", async () => {
      await t.register("i");
      for (const [n, id] of ["a", "A", "", "a"].entries()) await t.save("i", id, "x", { nowMs: 10_000 * (n + 1) });
      const { checkpointId, checkpointCount, lastSeenAtMs } = await t.read("i");
      same([checkpointId, checkpointCount], ["", 3]);
      assert.equal(lastSeenAtMs, 30_000, "what was found writes nothing");
    });

    test("ids of any text and states of any bytes come back as they were", async () => {
      await t.register("i");
      await t.register("other");
      const ids = ["", " ", "ü/🚀", "x".repeat(2_000), "step::a::[1,2]", "' OR 1=1 --", "%_\\"];
      const state = Uint8Array.from({ length: 256 }, (_, n) => n);
      for (const checkpointId of ids) {
        const save = { kind: "saveCheckpoint", instanceId: "i", checkpointId, state, nowMs: 3 } as const;
        same((await t.run(save)).outcome, "saved");
        same(await t.load("i", checkpointId), { outcome: "found", state, createdAtMs: 3 });
        same(await t.load("other", checkpointId), { outcome: "missing" });
      }
      const listed = await t.run({ kind: "listCheckpoints", instanceId: "i", limit: 100 });
      assert.ok(listed.outcome === "page");
      same(listed.checkpoints.map(({ checkpointId }) => checkpointId).toReversed(), ids);
      same(new Set(listed.checkpoints.map(({ stateBytes }) => stateBytes)), new Set([256]));
    });

    test("bytes are copied: what the caller does to its buffer afterwards is not stored", async () => {
      await t.register("i");
      const buffer = bytes("before");
      const saving = t.run({
        kind: "saveCheckpoint",
        instanceId: "i",
        checkpointId: "a",
        state: buffer.subarray(0, 6),
        nowMs: 1,
      });
      await saving;
      buffer.fill(0);
      const loaded = await t.load("i", "a");
      assert.ok(loaded.outcome === "found");
      same(loaded.state, bytes("before"));
    });

    test("a state of 20 MB goes through", async () => {
      await t.register("i");
      const state = Buffer.alloc(20_000_000, "runtara ");
      await t.run({ kind: "saveCheckpoint", instanceId: "i", checkpointId: "big", state, nowMs: 3 });
      const loaded = await t.load("i", "big");
      assert.ok(loaded.outcome === "found" && state.equals(loaded.state));
    });

    test("I9: with another tenant's id a checkpoint is not read", async () => {
      await t.register("i");
      await t.save("i", "a", "x", { nowMs: 4 });
      const load = { kind: "loadCheckpoint", instanceId: "i", checkpointId: "a" } as const;
      same(await t.run({ ...load, tenantId: "other" }), { outcome: "unknownInstance" });
      same(await t.run({ ...load, tenantId: "t" }), { outcome: "found", state: bytes("x"), createdAtMs: 4 });
      await t.event("i", "completed");
      same((await t.load("i", "a")).outcome, "found", "in any status");
    });

    test("I1: what was answered is there after opening the database again", async () => {
      await t.register("i");
      await t.save("i", "a", "kept", { nowMs: 2 });
      await t.reopen();
      same(await t.load("i", "a"), { outcome: "found", state: bytes("kept"), createdAtMs: 2 });
      same(await t.save("i", "a", "later"), found("kept"));
    });
  });

  describe("retry records", () => {
    const t = useStore(createHarness);
    const record = (attempt: number, nowMs: number, error?: string) =>
      t.run({
        kind: "recordRetry",
        instanceId: "i",
        checkpointId: "k",
        attempt,
        nowMs,
        ...(error === undefined ? {} : { error }),
      });
    const records = async () =>
      (await t.history("i")).flatMap((entry) =>
        entry.kind === "retry" ? [[entry.atMs, entry.attempt, entry.error, entry.nextAtMs]] : [],
      );

    test("one per attempt; a repeat replaces message and times and moves to the end", async () => {
      await t.register("i");
      same(await record(1, 10, "first"), { outcome: "recorded" });
      await record(2, 11);
      await record(-1, 12, "wrapped");
      await record(1, 13, "changed");
      same(await records(), [
        [11, 2, null, null],
        [12, -1, "wrapped", null],
        [13, 1, "changed", null],
      ]);
      const listed = await t.run({ kind: "listCheckpoints", instanceId: "i", limit: 10 });
      assert.ok(listed.outcome === "page");
      same(
        listed.checkpoints.map(({ checkpointId, createdAtMs, stateBytes }) => [checkpointId, createdAtMs, stateBytes]),
        [
          ["k::retry::1", 13, 0],
          ["k::retry::-1", 12, 0],
          ["k::retry::2", 11, 0],
        ],
      );
    });

    test("found with an empty state under its own id only, and not in a checkpoint's way", async () => {
      await t.register("i");
      for (const attempt of [1, 2, -1, 2_147_483_647, -2_147_483_648]) await record(attempt, 5);
      for (const id of ["1", "2", "-1", "2147483647", "-2147483648"]) {
        const found = { outcome: "found", state: bytes(""), createdAtMs: 5 };
        same(await t.load("i", `k::retry::${id}`), found, id);
      }
      for (const id of ["k", "k::retry::3", "k::retry::01", "k::retry::+1", "k::retry::", "k::retry::1 ", "::retry::1"])
        same(await t.load("i", id), { outcome: "missing" }, id);
      same(await t.save("i", "k::retry::1", "mine", { nowMs: 6 }), saved());
      same(await t.load("i", "k::retry::1"), { outcome: "found", state: bytes("mine"), createdAtMs: 6 });
    });

    test("in any status; unknown and fenced ones are refused", async () => {
      same(await record(1, 1), { outcome: "unknownInstance" });
      await t.start("i");
      same(await record(1, 1), { outcome: "recorded" });
      await t.register("i");
      await t.register("i");
      const fenced = {
        kind: "recordRetry",
        instanceId: "i",
        checkpointId: "k",
        attempt: 5,
        epoch: 1,
        nowMs: 1,
      } as const;
      same(await t.run(fenced), { outcome: "fenced", epoch: 2 });
      await t.event("i", "completed");
      same(await record(2, 2), { outcome: "recorded" });
      same(
        (await records()).map(([, attempt]) => attempt),
        [1, 2],
      );
    });

    test("the error and the time of the next attempt are kept", async () => {
      await t.register("i");
      const retry = { kind: "recordRetry", instanceId: "i", checkpointId: "k", attempt: 3, nowMs: 7 } as const;
      await t.run({ ...retry, error: "no route", nextAtMs: 907 });
      same(await records(), [[7, 3, "no route", 907]]);
      await t.run({ ...retry, nowMs: 8 });
      same(await records(), [[8, 3, null, null]]);
    });
  });
}

function saved(): SaveCheckpointResult {
  return { outcome: "saved", state: bytes(""), signal: undefined, custom: undefined };
}

function found(state: string): SaveCheckpointResult {
  return { outcome: "found", state: bytes(state), signal: undefined, custom: undefined };
}
