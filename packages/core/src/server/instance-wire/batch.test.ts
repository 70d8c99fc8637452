import assert from "node:assert/strict";
import { test } from "node:test";
import { instance } from "@runtara/protocol";
import { bytes, full, onEachEngine, text } from "./wire.test.helper.ts";

const own = { instanceId: "i", tenantId: "t" };
const from = { instanceId: "i", epoch: 1n };
const invalid = { code: "RPC", fineCode: "VALIDATION_ERROR", isRetryable: false };
const entry = (checkpointId: string, state = checkpointId) => ({ checkpointId, state: bytes(state) });

onEachEngine((open) => {
  test("I2, I3: a batch is saved or found, entry by entry, and may be repeated", async (t) => {
    const { connect } = await open(t);
    const client = connect();
    await client.registerInstance(own);
    await client.checkpoint({ instanceId: "i", ...entry("b", "first") });
    const batch = { ...from, entries: [entry("a"), entry("b", "second"), entry("c")] };
    const { results } = await client.checkpointBatch(batch);
    assert.deepEqual(
      results.map(({ found, state }) => [found, text(state)]),
      [
        [false, ""],
        [true, "first"],
        [false, ""],
      ],
    );
    const repeated = await client.checkpointBatch(batch);
    assert.deepEqual(
      repeated.results.map(({ found, state }) => [found, text(state)]),
      [
        [true, "a"],
        [true, "first"],
        [true, "c"],
      ],
    );
  });

  test("batches of several instances: each is kept or refused by itself, in one call that may be repeated", async (t) => {
    const { connect } = await open(t);
    const client = connect();
    for (const instanceId of ["one", "two", "old"]) await client.registerInstance({ instanceId, tenantId: "t" });
    await connect().registerInstance({ instanceId: "old", tenantId: "t" });
    const batches = [
      { instanceId: "one", epoch: 1n, entries: [entry("a"), entry("b")] },
      { instanceId: "old", epoch: 1n, entries: [entry("a")] },
      { instanceId: "two", epoch: 1n, entries: [entry("a", "first"), entry("a\0")] },
      { instanceId: "nobody", epoch: 1n, entries: [entry("a")] },
      { instanceId: "two", epoch: 1n, entries: [entry("c")] },
    ];
    const told = async () => {
      const { results } = await client.checkpointBatches({ batches });
      return results.map(({ result: { case: kind, value } }) =>
        kind === "answer" ? value.results.map(({ found }) => found) : [value?.code, value?.fineCode, value?.retryable],
      );
    };
    const refused = (fineCode: string) => ["CHECKPOINT_BATCH_ERROR", fineCode, false];
    const others = [refused("FENCED"), refused("VALIDATION_ERROR"), refused("INSTANCE_NOT_FOUND")];
    assert.deepEqual(await told(), [[false, false], ...others, [false]]);
    assert.deepEqual(await told(), [[true, true], ...others, [true]]);
    const { checkpoints } = await client.listOwnCheckpoints({ instanceId: "two", epoch: 1n });
    assert.deepEqual(
      checkpoints.map(({ checkpointId }) => checkpointId),
      ["c"],
    );
    assert.deepEqual((await client.checkpointBatches({})).results, []);
    const many = { batches: Array.from({ length: 257 }, () => ({ instanceId: "one", epoch: 1n })) };
    await assert.rejects(client.checkpointBatches(many), (error: Error) => {
      assert.match(error.message, /batches has 257 members; at most 256 are allowed/);
      return assert.match(Object(error).fineCode, /^VALIDATION_ERROR$/) === undefined;
    });
  });

  test("I6: a signal is consumed with the entry that records it, once", async (t) => {
    const { connect, operator } = await open(t);
    const client = connect();
    await client.registerInstance(own);
    for (const payload of ["1", "2"]) {
      await operator.sendCustomSignal({ instanceId: "i", checkpointId: "go", payload: bytes(payload), queued: true });
    }
    const waiting = { revision: 1n, interests: [{ ...from, names: ["go"] }] };
    const { instances } = await client.waitSignals(waiting);
    const [first, second] = instances[0]?.queued ?? [];
    assert.deepEqual([text(first?.payload), text(second?.payload)], ["1", "2"]);
    const consumesSignalId = first?.signalId ?? 0n;
    await client.checkpointBatch({ ...from, entries: [{ ...entry("go!1"), consumesSignalId }] });
    await client.checkpointBatch({ ...from, entries: [{ ...entry("go!1"), consumesSignalId }] });
    const left = await client.waitSignals({ ...waiting, revision: 2n });
    assert.deepEqual(
      left.instances[0]?.queued.map(({ payload }) => text(payload)),
      ["2"],
    );
  });

  test("what a batch must not have is refused with its place and limit, and nothing is saved", async (t) => {
    const { connect } = await open(t);
    const client = connect();
    await client.registerInstance(own);
    const many = Array.from({ length: 1_001 }, (_, n) => entry(String(n)));
    const published = (key: string, number: bigint) => ({
      number,
      content: { case: "published" as const, value: { key, value: bytes("v") } },
    });
    const refusals: Record<string, object> = {
      "'a' occurs twice in the batch": { entries: [entry("a"), entry("b"), entry("a")] },
      "entries has 1001 members; at most 1000 are allowed": { entries: many },
      "checkpoint_id must not contain U+0000": { entries: [entry("a\0")] },
      "checkpoint_id has 2705 bytes; at most 2704 are allowed": { entries: [entry("a".repeat(2_705))] },
      "key is required": { entries: [entry("a")], messages: [published("", 1n)] },
      "messages are numbered from 1 upwards, got 0 after 0": { messages: [published("k", 0n)] },
      "messages are numbered from 1 upwards, got 2 after 2": { messages: [published("k", 2n), published("l", 2n)] },
      "a message needs a published value or an event": { messages: [{ number: 1n }] },
      "begins_run must be 2": { entries: [entry("a")], beginsRun: 3 },
    };
    for (const [reason, batch] of Object.entries(refusals)) {
      await assert.rejects(client.checkpointBatch({ ...from, ...batch }), (error: Error) => {
        assert.ok(error.message.includes(reason), error.message);
        return assert.match(Object(error).fineCode, /^VALIDATION_ERROR$/) === undefined;
      });
    }
    const { checkpoints } = await client.listOwnCheckpoints(from);
    assert.deepEqual(checkpoints, []);
  });

  test("a state over the configured limit is refused, alone and in a batch; the limit is told at the start", async (t) => {
    const { connect } = await open(t, { stateBytesMax: 10 });
    const client = connect();
    const { start } = await client.registerInstance({ ...own, ...full });
    assert.equal(start?.stateBytesMax, 10n);
    const tooLarge = { fineCode: "VALUE_TOO_LARGE", message: /state has 11 bytes; at most 10 are allowed/ };
    await assert.rejects(client.checkpoint({ instanceId: "i", ...entry("a", "12345678901") }), tooLarge);
    await assert.rejects(client.checkpointBatch({ ...from, entries: [entry("a", "12345678901")] }), tooLarge);
    assert.equal((await client.checkpoint({ instanceId: "i", ...entry("a", "1234567890") })).found, false);
  });

  test("messages go out once, and count anew in each run", async (t) => {
    const { connect, operator } = await open(t);
    const client = connect();
    await client.registerInstance(own);
    const value = (number: bigint, key: string) => ({
      number,
      content: { case: "published" as const, value: { key, value: bytes(`${key}${number}`) } },
    });
    const event = {
      number: 2n,
      content: { case: "event" as const, value: { subtype: "note", payload: bytes("e"), timestampMs: 5n } },
    };
    const batch = { ...from, entries: [entry("!next")], messages: [value(1n, "k"), event], beginsRun: 2 };
    await client.checkpointBatch(batch);
    await client.checkpointBatch(batch);
    assert.equal((await client.publish({ ...from, run: 2, messages: [value(1n, "l")] })).lastNumber, 1n);
    assert.equal((await client.publish({ ...from, run: 2, messages: [value(1n, "m")] })).lastNumber, 1n);
    await assert.rejects(client.publish({ ...from, run: 3, messages: [value(1n, "n")] }), invalid);
    const { values } = await operator.getPublished({ tenantId: "t", instanceId: "i" });
    assert.deepEqual(
      values.map(({ key, value: kept }) => [key, text(kept)]),
      [
        ["k", "k1"],
        ["l", "l1"],
      ],
    );
    const { entries } = await operator.listHistory({ tenantId: "t", instanceId: "i", limit: 100 });
    assert.equal(
      JSON.stringify(entries, (_, one) => (typeof one === "bigint" ? String(one) : one)).split('"note"').length,
      2,
    );
  });

  test("own checkpoints come in pages, in the order of their saving, with retries", async (t) => {
    const { connect } = await open(t);
    const client = connect();
    await client.registerInstance(own);
    const ids = Array.from({ length: 25 }, (_, n) => `step ${n}`);
    await client.checkpointBatch({ ...from, entries: ids.map((id) => entry(id, "x".repeat(100))) });
    await client.checkpoint({ instanceId: "i", ...entry("large", "y".repeat(2_000)) });
    await client.retryAttempt({ ...from, checkpointId: "r", attemptNumber: 1, errorMessage: "one" });
    await client.retryAttempt({
      ...from,
      checkpointId: "r",
      attemptNumber: 2,
      errorMessage: "e".repeat(9_000),
      nextAtMs: 77n,
    });
    const seen: (string | undefined)[] = [];
    const retries: unknown[] = [];
    let pages = 0;
    for (let cursor: string | undefined, last = false; !last; pages += 1) {
      const page = await client.listOwnCheckpoints({
        ...from,
        stateBytesMax: 1_000,
        pageBytesMax: 450,
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const { checkpointId, state, stateBytes } of page.checkpoints) {
        seen.push(checkpointId);
        assert.equal(state?.length, checkpointId === "large" ? undefined : 100);
        assert.equal(stateBytes, checkpointId === "large" ? 2_000n : 100n);
      }
      retries.push(...page.retries.map((one) => [one.attemptNumber, one.nextAtMs, one.errorMessage?.length]));
      cursor = page.nextCursor;
      last = cursor === undefined;
    }
    assert.deepEqual(seen, [...ids, "large"]);
    assert.deepEqual(retries, [[2, 77n, 512]]);
    assert.ok(pages > 4, String(pages));
    const { checkpoints } = await client.listOwnCheckpoints({ ...from, checkpointIdPrefix: "step 1" });
    const { checkpoints: behind } = await client.listOwnCheckpoints({
      ...from,
      stateBytesMax: 0,
      behindCheckpointId: checkpoints.at(-1)?.checkpointId ?? "",
    });
    const last = checkpoints.at(-1)?.checkpointId ?? "";
    assert.deepEqual(
      behind.map(({ checkpointId }) => checkpointId),
      [...ids, "large"].slice(ids.indexOf(last) + 1),
    );
    await assert.rejects(client.listOwnCheckpoints({ ...from, behindCheckpointId: "a\0b" }), invalid);
    assert.equal(checkpoints.length, 11);
    await assert.rejects(client.listOwnCheckpoints({ ...from, cursor: "made up" }), invalid);
  });

  test("an answer to a client of 1.4.1 has nothing that it does not know; who asks gets the start facts", async (t) => {
    const { connect } = await open(t);
    const client = connect();
    const plain = await client.registerInstance(own);
    assert.deepEqual(plain, { $typeName: plain.$typeName, success: true, error: "", features: [] });
    const { features, start } = await client.registerInstance({ ...own, ...full, client: "test 1.0" });
    assert.ok(features.includes("checkpoint-batch") && features.includes("work-queue"));
    assert.deepEqual([start?.epoch, start?.run, start?.seed.length, start?.checkpointCount], [2n, 1, 16, 0n]);
    await client.instanceEvent({ instanceId: "i", eventType: instance.InstanceEventType.EVENT_COMPLETED });
    const late = await client.registerInstance(own);
    assert.deepEqual([late.success, late.fineCode, late.retryable], [false, undefined, undefined]);
    const asked = await client.registerInstance({ ...own, ...full });
    assert.deepEqual([asked.success, asked.fineCode, asked.retryable], [false, "INVALID_INSTANCE_STATE", false]);
  });
});
