import assert from "node:assert/strict";
import { test } from "node:test";
import type { Notice, Operation, StartFacts } from "@runtara/store";
import { StoreError } from "@runtara/store";
import type { Outcome } from "./engine.ts";
import { packNotices, unpackNotices } from "./notice-packing.ts";
import { packOutcomes, unpackOutcomes } from "./outcome-packing.ts";
import { packOperations, unpackOperations } from "./packing.ts";

const wide = Uint8Array.from({ length: 64 }, (_, n) => n);
const seed = wide.subarray(16, 32);

test("operations of all sorts, mixed, arrive as they were sent", () => {
  const register = {
    kind: "registerInstance",
    instanceId: "i",
    tenantId: "t",
    seed,
    nowMs: 5,
    staleAfterMs: 7,
  } as const;
  const save = { kind: "saveCheckpoint", instanceId: "i", checkpointId: "c", nowMs: 6 } as const;
  const operations: Operation[] = [
    { ...register, checkTenant: true },
    { ...save, state: wide.subarray(1, 4) },
    { kind: "readInstance", instanceId: "i" },
    { ...save, epoch: 3, state: new Uint8Array(0) },
    { ...register, checkTenant: false, checkpointId: "c" },
    { ...register, checkTenant: false, seed: wide.subarray(0, 15) },
    { ...register, checkTenant: false, instanceId: "j" },
  ];
  const packed = structuredClone(packOperations(operations));
  assert.deepEqual([...packed.kinds], [2, 1, 0, 1, 0, 0, 2]);
  assert.deepEqual(unpackOperations(packed), operations);
});

test("a seed that is remembered does not keep what came with it", () => {
  const operation: Operation = {
    kind: "registerInstance",
    instanceId: "i",
    tenantId: "t",
    checkTenant: false,
    seed,
    nowMs: 1,
    staleAfterMs: 0,
  };
  const [unpacked] = unpackOperations(packOperations([operation, operation]));
  assert.ok(unpacked?.kind === "registerInstance");
  assert.equal(unpacked.seed.buffer.byteLength, 16);
});

test("outcomes of all sorts, mixed, arrive as they were sent", () => {
  const facts: StartFacts = {
    epoch: 2,
    checkpointCount: 3,
    input: null,
    firstStartedAtMs: 4,
    seed,
    run: 1,
    workflow: null,
    version: null,
    parentInstanceId: null,
    signal: undefined,
  };
  const empty = new Uint8Array(0);
  const alone = { signal: undefined, custom: undefined };
  const pause = { type: "pause", payload: empty } as const;
  const outcomes: Outcome[] = [
    { error: undefined, result: { outcome: "registered", created: true, facts } },
    { error: undefined, result: { outcome: "saved", state: empty, ...alone } },
    { error: undefined, result: { outcome: "found", state: wide.subarray(2, 9), ...alone } },
    { error: undefined, result: { outcome: "found", state: wide, ...alone, signal: pause } },
    { error: undefined, result: { outcome: "registered", created: false, facts: { ...facts, epoch: 9 } } },
    { error: undefined, result: { outcome: "registered", created: false, facts: { ...facts, input: empty } } },
    { error: undefined, result: { outcome: "registered", created: false, facts: { ...facts, workflow: "w" } } },
    { error: undefined, result: { outcome: "registered", created: false, facts: { ...facts, signal: pause } } },
    { error: undefined, result: { outcome: "found", state: empty, ...alone } },
    { error: undefined, result: { outcome: "unknownInstance" } },
  ];
  const packed = structuredClone(packOutcomes(outcomes));
  assert.deepEqual([...packed.codes], [5, 0, 3, 1, 4, 1, 1, 1, 3, 1]);
  assert.deepEqual(unpackOutcomes(packed), outcomes);
  const failed = packOutcomes([{ error: new StoreError("IO_FAILED", "the disk is gone"), result: undefined }]);
  assert.equal(unpackOutcomes(failed)[0]?.error?.code, "IO_FAILED");
});

test("notices of all sorts arrive", () => {
  const notices: Notice[] = [
    { topic: "due", atMs: 1 },
    { topic: "instance", instanceId: "e", ended: true },
    { topic: "instance", instanceId: "i", ended: false },
    { topic: "signal", instanceId: "s" },
  ];
  assert.deepEqual(unpackNotices(structuredClone(packNotices(notices))), notices);
  assert.equal(packNotices([]), undefined);
});
