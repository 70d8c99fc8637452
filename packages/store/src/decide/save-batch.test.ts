import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { limits } from "../limits.ts";
import type { OutgoingMessage } from "../model.ts";
import type { SaveBatch } from "../operations/index.ts";
import type { SaveBatchFacts } from "./facts.ts";
import { bytes, ended, running } from "./rows.test.helper.ts";
import { decideSaveBatch } from "./save-batch.ts";

const nothing: SaveBatchFacts = {
  stored: [],
  waiting: [],
  signalPayload: null,
  publishedKeys: 0,
  knownKeys: [],
};

function batch(over: Partial<SaveBatch> = {}): SaveBatch {
  return { kind: "saveBatch", instanceId: "i", epoch: 3, entries: [], messages: [], nowMs: 3_000, ...over };
}

function entries(...ids: string[]): SaveBatch["entries"] {
  return ids.map((checkpointId) => ({ checkpointId, state: bytes(checkpointId) }));
}

function publish(number: number, key: string, value: string): OutgoingMessage {
  return { number, content: { kind: "published", key, value: bytes(value) } };
}

describe("decideSaveBatch", () => {
  it("saves what is new, in order, and answers what is stored", () => {
    const before = running({ checkpointCount: 1, pendingSignal: "resume" });
    const { changes, result } = decideSaveBatch(batch({ entries: entries("a", "b", "c") }), before, {
      ...nothing,
      stored: [undefined, bytes("old"), undefined],
    });
    assert.deepEqual(result, {
      outcome: "saved",
      entries: [{ state: undefined }, { state: bytes("old") }, { state: undefined }],
      signal: { type: "resume", payload: new Uint8Array(0) },
    });
    assert.deepEqual(changes?.checkpoints, entries("a", "c"));
    assert.deepEqual(changes?.row, { ...before, checkpointId: "c", checkpointCount: 3, lastSeenAtMs: 3_000 });
  });

  it("writes nothing where everything is found and nothing goes out", () => {
    const { changes } = decideSaveBatch(batch({ entries: entries("a") }), running(), {
      ...nothing,
      stored: [bytes("a")],
    });
    assert.equal(changes, undefined);
  });

  it("I6: consumes a signal with the entry that records it, and with that only", () => {
    const operation = batch({
      entries: [
        { checkpointId: "a", state: bytes("a"), consumesSignalId: 7 },
        { checkpointId: "b", state: bytes("b"), consumesSignalId: 8 },
        { checkpointId: "c", state: bytes("c"), consumesSignalId: 9 },
      ],
    });
    const { changes } = decideSaveBatch(operation, running({ queuedSignals: 3 }), {
      ...nothing,
      stored: [undefined, bytes("b"), undefined],
      waiting: [
        { signalId: 7, queued: true },
        { signalId: 8, queued: true },
        { signalId: 9, queued: false },
      ],
    });
    assert.deepEqual(changes?.signalsTaken, [
      { signalId: 7, queued: true },
      { signalId: 9, queued: false },
    ]);
    assert.equal(changes?.row?.queuedSignals, 2);
  });

  it("saves an entry whose signal is gone", () => {
    const operation = batch({ entries: [{ checkpointId: "a", state: bytes("a"), consumesSignalId: 7 }] });
    const { changes } = decideSaveBatch(operation, running(), { ...nothing, stored: [undefined] });
    assert.equal(changes?.checkpoints?.length, 1);
    assert.equal(changes?.signalsTaken, undefined);
  });

  it("sends the messages that have not gone out, of one key the last value", () => {
    const event: OutgoingMessage = {
      number: 4,
      content: { kind: "event", subtype: "note", payload: bytes("p"), createdAtMs: 9 },
    };
    const messages = [publish(2, "old", "x"), publish(3, "k", "1"), event, publish(5, "k", "2")];
    const { changes } = decideSaveBatch(batch({ messages }), running({ lastMessage: 2, changes: 6 }), nothing);
    assert.deepEqual(changes?.published, [{ key: "k", value: bytes("2") }]);
    assert.deepEqual(changes?.events, [
      { type: "custom", subtype: "note", checkpointId: null, payload: bytes("p"), createdAtMs: 9, receivedAtMs: 3_000 },
    ]);
    assert.equal(changes?.row?.lastMessage, 5);
    assert.equal(changes?.row?.changes, 7);
  });

  it("begins the next run behind its messages, once", () => {
    const operation = batch({ entries: entries("a"), messages: [publish(1, "k", "1")], beginsRun: 2 });
    const first = decideSaveBatch(operation, running(), { ...nothing, stored: [undefined] });
    assert.deepEqual([first.changes?.row?.run, first.changes?.row?.lastMessage], [2, 0]);
    assert.equal(first.changes?.published?.length, 1);
    const again = decideSaveBatch(operation, running({ run: 2 }), { ...nothing, stored: [bytes("a")] });
    assert.deepEqual(again, {
      result: { outcome: "saved", entries: [{ state: bytes("a") }], signal: undefined },
      changes: undefined,
    });
  });

  it("answers the present run to any other number, and changes nothing", () => {
    const mismatch = { result: { outcome: "runMismatch", run: 2 }, changes: undefined };
    const decide = (beginsRun: number, stored: SaveBatchFacts["stored"]) =>
      decideSaveBatch(batch({ entries: entries("a"), beginsRun }), running({ run: 2 }), { ...nothing, stored });
    assert.deepEqual(decide(1, [bytes("a")]), mismatch);
    assert.deepEqual(decide(2, [undefined]), mismatch);
    assert.deepEqual(decide(4, [bytes("a")]), mismatch);
  });

  it("keeps at most so many published keys", () => {
    const full = { ...nothing, publishedKeys: limits.publishedKeysMax, knownKeys: ["k"] };
    assert.equal(decideSaveBatch(batch({ messages: [publish(1, "k", "1")] }), running(), full).result.outcome, "saved");
    assert.throws(() => decideSaveBatch(batch({ messages: [publish(1, "new", "1")] }), running(), full), {
      name: "StoreError",
      code: "VALUE_TOO_LONG",
      message: /would publish 1001 keys, at most 1000/,
    });
  });

  it("I5: is refused as a whole", () => {
    const decide = (epoch: number, row: Parameters<typeof decideSaveBatch>[1]) =>
      decideSaveBatch(batch({ epoch, entries: entries("a") }), row, { ...nothing, stored: [undefined] });
    assert.deepEqual(decide(3, undefined), { result: { outcome: "unknownInstance" }, changes: undefined });
    assert.deepEqual(decide(2, ended()), { result: { outcome: "fenced", epoch: 3 }, changes: undefined });
    assert.deepEqual(decide(3, ended()), { result: { outcome: "refused", status: "completed" }, changes: undefined });
  });
});
