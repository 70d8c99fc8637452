import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../limits.ts";
import type { Operation } from "../operations/index.ts";
import { batchSize, bytesOf } from "./batches.ts";

test("a batch ends before its bytes do, after so many operations, and has one at least", () => {
  const sizeOf = (...bytes: number[]) => batchSize(bytes, (size) => size, 10);
  assert.equal(sizeOf(), 0);
  assert.equal(sizeOf(4, 6, 1), 2);
  assert.equal(sizeOf(11, 1), 1);
  assert.equal(sizeOf(1, 11), 1);
  assert.equal(sizeOf(...Array.from({ length: limits.batchOperationsMax + 1 }, () => 0)), limits.batchOperationsMax);
});

test("everything counts that an operation brings as bytes", () => {
  const three = new Uint8Array(3);
  const instance = { instanceId: "i", nowMs: 1 };
  const published = { number: 1, content: { kind: "published", key: "k", value: three } } as const;
  const event = { number: 2, content: { kind: "event", subtype: "s", payload: three, createdAtMs: 1 } } as const;
  const entries = [{ checkpointId: "c", state: three }];
  const sizes: [Operation, number][] = [
    [{ kind: "saveCheckpoint", ...instance, checkpointId: "c", state: three }, 3],
    [{ kind: "saveBatch", ...instance, epoch: 1, entries, messages: [published, event] }, 9],
    [{ kind: "appendEvent", ...instance, type: "failed", createdAtMs: 1, payload: three, failure: three }, 6],
    [{ kind: "appendEvent", ...instance, type: "completed", createdAtMs: 1, output: three }, 3],
    [{ kind: "sendSignal", ...instance, signal: "cancel", payload: three }, 3],
    [{ kind: "checkHealth" }, 0],
  ];
  for (const [operation, bytes] of sizes) assert.equal(bytesOf(operation), bytes, operation.kind);
});
