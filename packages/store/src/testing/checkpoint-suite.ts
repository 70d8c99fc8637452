import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SaveCheckpointResult } from "@runtara/store";
import { bytes, type CreateHarness, running, text, useStore } from "./harness.ts";

export function describeCheckpoints(createHarness: CreateHarness): void {
  describe("checkpoints", () => {
    const t = useStore(createHarness);

    test("I3: the first state stays, whatever is sent later", async () => {
      await t.register("i");
      assert.deepEqual(await t.save("i", "a", "one"), saved());
      assert.deepEqual(await t.save("i", "a", "two"), found("one"));
      assert.deepEqual(await t.save("i", "a", ""), found("one"));
      assert.deepEqual(await t.load("i", "a"), { outcome: "found", state: bytes("one") });
    });

    test("I2: of a hundred first saves at once one is told saved, all others get its bytes", async () => {
      await t.register("i");
      const other = await t.open();
      const results = await Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          (n % 2 === 0 ? t.store : other).run({
            kind: "saveCheckpoint",
            instanceId: "i",
            checkpointId: "race",
            state: bytes(`caller ${n}`),
            allowedIn: running,
            nowMs: n,
          }),
        ),
      );
      const winner = results.findIndex(({ outcome }) => outcome === "saved");
      const expected = results.map((_, n) => (n === winner ? saved() : found(`caller ${winner}`)));
      assert.deepEqual(results, expected);
    });

    test("only the allowed statuses may save, and a refusal changes nothing", async () => {
      assert.deepEqual(await t.save("nobody", "a", "x"), { outcome: "unknownInstance" });
      await t.store.run({ kind: "createInstance", instanceId: "i", tenantId: "t", nowMs: 1 });
      assert.deepEqual(await t.save("i", "a", "x"), { outcome: "refused", status: "pending" });
      assert.deepEqual(await t.load("i", "a"), { outcome: "missing" });
      assert.deepEqual(await t.load("nobody", "a"), { outcome: "unknownInstance" });
    });

    test("the pointer is the last newly saved id and the count that of the ids", async () => {
      await t.register("i");
      for (const id of ["a", "A", "", "a"]) await t.save("i", id, "x");
      const read = await t.store.run({ kind: "readInstance", instanceId: "i" });
      assert.ok(read.outcome === "found");
      assert.deepEqual(
        [read.instance.checkpointId, read.instance.checkpointCount, read.instance.lastSeenAtMs],
        ["", 3, 2],
      );
    });

    test("ids of any text and states of any bytes come back as they were", async () => {
      await t.register("i");
      await t.register("other");
      const ids = ["", " ", "ü/🚀", "x".repeat(2_704), "step::a::[1,2]", "' OR 1=1 --"];
      const everyByte = Uint8Array.from({ length: 256 }, (_, n) => n);
      for (const checkpointId of ids) {
        const operation = {
          kind: "saveCheckpoint",
          instanceId: "i",
          checkpointId,
          state: everyByte,
          allowedIn: running,
          nowMs: 3,
        } as const;
        assert.equal((await t.store.run(operation)).outcome, "saved");
        assert.deepEqual(await t.load("i", checkpointId), { outcome: "found", state: everyByte });
        assert.deepEqual(await t.load("other", checkpointId), { outcome: "missing" });
      }
      const { checkpoints } = await t.store.run({ kind: "listCheckpoints", instanceId: "i", limit: 100 });
      assert.deepEqual(checkpoints.map(({ checkpointId }) => checkpointId).toReversed(), ids);
      assert.deepEqual(new Set(checkpoints.map(({ stateBytes }) => stateBytes)), new Set([256]));
    });

    test("a state of 20 MB goes through", async () => {
      await t.register("i");
      const state = Buffer.alloc(20_000_000, "runtara ");
      await t.store.run({
        kind: "saveCheckpoint",
        instanceId: "i",
        checkpointId: "big",
        state,
        allowedIn: running,
        nowMs: 3,
      });
      const loaded = await t.load("i", "big");
      assert.ok(loaded.outcome === "found" && state.equals(loaded.state));
    });

    test("retry records are upserted, found with an empty state, and do not stand in a checkpoint's way", async () => {
      await t.register("i");
      const record = (attempt: number, error?: string) =>
        t.store.run({
          kind: "recordRetry",
          instanceId: "i",
          checkpointId: "k",
          attempt,
          ...(error === undefined ? {} : { error }),
          nowMs: attempt + 10,
        });
      await record(1, "first");
      await record(1, "changed");
      await record(2);
      await record(-1, "wrapped");
      assert.deepEqual(await t.store.run({ kind: "listRetries", instanceId: "i", checkpointId: "k", limit: 10 }), {
        retries: [
          { attempt: -1, error: "wrapped", createdAtMs: 9 },
          { attempt: 1, error: "changed", createdAtMs: 11 },
          { attempt: 2, error: null, createdAtMs: 12 },
        ],
      });
      for (const id of ["k::retry::1", "k::retry::2", "k::retry::-1"]) {
        assert.deepEqual(await t.load("i", id), { outcome: "found", state: bytes("") }, id);
      }
      for (const id of ["k", "k::retry::3", "k::retry::01", "k::retry::+1", "k::retry::"]) {
        assert.deepEqual(await t.load("i", id), { outcome: "missing" }, id);
      }
      assert.deepEqual(await t.save("i", "k::retry::1", "mine"), saved());
      assert.deepEqual(await t.load("i", "k::retry::1"), { outcome: "found", state: bytes("mine") });
      const unknown = await t.store.run({
        kind: "recordRetry",
        instanceId: "nobody",
        checkpointId: "k",
        attempt: 1,
        nowMs: 1,
      });
      assert.deepEqual(unknown, { outcome: "unknownInstance" });
    });

    test("I1: what was answered is there after opening the database again", async () => {
      await t.register("i");
      await t.save("i", "a", "kept");
      await t.reopen();
      const loaded = await t.load("i", "a");
      assert.ok(loaded.outcome === "found" && text(loaded.state) === "kept");
    });
  });
}

function saved(): SaveCheckpointResult {
  return { outcome: "saved", state: bytes(""), signal: undefined, custom: undefined };
}

function found(state: string): SaveCheckpointResult {
  return { outcome: "found", state: bytes(state), signal: undefined, custom: undefined };
}
