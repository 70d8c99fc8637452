import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, create, instance, type RequestMessage } from "@runtara/protocol";
import { limits } from "../../limits.ts";
import type { BatchAnswer } from "../../ports/source.ts";
import { SourceError } from "../../ports/source-error.ts";
import { BatchCollector } from "./batch-collector.ts";
import type { RemoteCalls } from "./remote-calls.ts";

type Sent = instance.CheckpointBatchRequest | instance.CheckpointBatchesRequest;

/** Calls that a test answers. */
class Calls {
  readonly sent: Sent[] = [];
  readonly answers: ((outcome: object | Error) => void)[] = [];

  once<M extends RequestMessage>(message: M): Promise<Answer<M>> {
    this.sent.push(message as Sent);
    return new Promise((resolve, reject) => {
      this.answers.push((outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome as Answer<M>)));
    });
  }

  sizes(): number[] {
    return this.sent.map((message) => ("batches" in message ? message.batches.length : 1));
  }
}

function collectorOf(isServed: boolean): {
  calls: Calls;
  collector: BatchCollector;
  told: Map<string, unknown>;
  save(id: string, bytes?: number): void;
} {
  const calls = new Calls();
  const collector = new BatchCollector(calls as unknown as RemoteCalls, () => isServed);
  const told = new Map<string, unknown>();
  const save = (instanceId: string, bytes = 1): void => {
    const entries = [{ checkpointId: "a", state: new Uint8Array(bytes) }];
    const message = create(instance.CheckpointBatchRequestSchema, { instanceId, epoch: 1n, entries });
    collector.save(message, (error, answer?: BatchAnswer) => told.set(instanceId, error ?? answer));
  };
  return { calls, collector, told, save };
}

const saved = { entries: [{ state: undefined }], signal: undefined };
const result = { found: false, state: new Uint8Array(0) };

test("what is saved in a round goes out in one call, and each is told its own", async () => {
  const { calls, collector, told, save } = collectorOf(true);
  for (const id of ["a", "b", "c"]) save(id);
  collector.flush();
  collector.flush();
  assert.deepEqual(calls.sizes(), [3]);
  const error = { code: "CHECKPOINT_BATCH_ERROR", message: "not yours", fineCode: "FENCED" };
  const answers = [
    { result: { case: "answer" as const, value: { results: [result] } } },
    { result: { case: "error" as const, value: error } },
  ];
  calls.answers[0]?.(create(instance.CheckpointBatchesResponseSchema, { results: answers }));
  await new Promise(setImmediate);
  assert.deepEqual(told.get("a"), saved);
  const refused = told.get("b");
  assert.ok(refused instanceof SourceError && refused.code === "FENCED" && refused.message === "not yours");
  const missing = told.get("c");
  assert.ok(missing instanceof SourceError && missing.code === "AWAY", "a server that forgets one is asked again");
});

test("one alone is a batch of its own; without a flush it goes out when the code that runs is over", async () => {
  const { calls, told, save } = collectorOf(true);
  save("a");
  assert.deepEqual(calls.sizes(), []);
  await new Promise(setImmediate);
  assert.equal(calls.sent[0]?.$typeName, "runtara.instance.CheckpointBatchRequest");
  calls.answers[0]?.(create(instance.CheckpointBatchResponseSchema, { results: [result] }));
  await new Promise(setImmediate);
  assert.deepEqual(told.get("a"), saved);
});

test("a call that is lost is so for each; a core that does not know the call gets one for each", async () => {
  const lost = collectorOf(true);
  for (const id of ["a", "b"]) lost.save(id);
  lost.collector.flush();
  lost.calls.answers[0]?.(new SourceError("AWAY", "gone"));
  await new Promise(setImmediate);
  assert.deepEqual(
    [...lost.told.values()].map((error) => (error as SourceError).code),
    ["AWAY", "AWAY"],
  );
  const older = collectorOf(false);
  for (const id of ["a", "b"]) older.save(id);
  older.collector.flush();
  assert.deepEqual(older.calls.sizes(), [1, 1]);
});

test("calls are bounded by count and by bytes", () => {
  const { calls, collector, save } = collectorOf(true);
  for (let index = 0; index < limits.batchesPerCallMax + 2; index++) save(`i${index}`);
  collector.flush();
  assert.deepEqual(calls.sizes(), [limits.batchesPerCallMax, 2]);
  for (const [id, bytes] of Object.entries({ x: 600_000, y: 600_000, z: limits.batchesBytesFull * 2, w: 1 }))
    save(id, bytes);
  collector.flush();
  assert.deepEqual(calls.sizes().slice(2), [1, 1, 1, 1]);
});
