import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Operation } from "@runtara/store";
import fc from "fast-check";
import { instancesOf, planWaves, stepOf } from "./waves.ts";

const state = new Uint8Array(0);

const save = (instanceId: string, checkpointId: string): Operation => ({
  kind: "saveCheckpoint",
  instanceId,
  checkpointId,
  state,
  nowMs: 1,
});
const batch = (instanceId: string, ...checkpointIds: string[]): Operation => ({
  kind: "saveBatch",
  instanceId,
  epoch: 1,
  entries: checkpointIds.map((checkpointId) => ({ checkpointId, state })),
  messages: [],
  nowMs: 1,
});
const event = (instanceId: string): Operation => ({
  kind: "appendEvent",
  instanceId,
  type: "heartbeat",
  createdAtMs: 1,
  nowMs: 1,
});
const load = (instanceId: string): Operation => ({ kind: "loadCheckpoint", instanceId, checkpointId: "a" });

const wavesOf = (operations: readonly Operation[]) =>
  planWaves(operations.map((operation) => ({ operation }))).map(({ step, members }) => ({
    step,
    operations: members.map(({ operation }) => operation),
  }));

describe("waves", () => {
  test("saves of many instances, and several ids of one, share a wave; an id twice does not", () => {
    const operations = [save("x", "a"), save("y", "a"), save("x", "b"), save("x", "a"), batch("z", "a", "b")];
    const [first, second, ...others] = wavesOf(operations);
    assert.deepEqual(first?.operations, [operations[0], operations[1], operations[2], operations[4]]);
    assert.deepEqual(second?.operations, [operations[3]]);
    assert.deepEqual(others, []);
  });

  test("a batch that has one id in common with the wave goes behind it as a whole", () => {
    const operations = [save("x", "a"), batch("x", "b", "a"), save("x", "b")];
    assert.deepEqual(
      wavesOf(operations).map((wave) => wave.operations),
      [[operations[0]], [operations[1]], [operations[2]]],
    );
  });

  test("decisions about one instance take turns, those about others share", () => {
    const operations = [event("x"), event("y"), event("x"), load("y"), event("z")];
    assert.deepEqual(
      wavesOf(operations).map((wave) => wave.operations),
      [[operations[0], operations[1], operations[4]], [operations[2]], [operations[3]]],
    );
  });

  test("whatever the batch: everything once, in waves of one step, each instance in its order", () => {
    const instance = fc.constantFrom("x", "y", "z");
    const id = fc.constantFrom("a", "b", "c");
    const operation = fc.oneof(
      fc.tuple(instance, id).map(([one, other]) => save(one, other)),
      fc.tuple(instance, fc.uniqueArray(id, { minLength: 1 })).map(([one, others]) => batch(one, ...others)),
      instance.map(event),
      instance.map(load),
    );
    const property = fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
      const waves = wavesOf(operations);
      const planned = waves.flatMap((wave) => wave.operations);
      assert.deepEqual(new Set(planned), new Set(operations));
      assert.equal(planned.length, operations.length);
      for (const { step, operations: members } of waves) {
        assert.ok(members.every((each) => stepOf(each) === step));
        if (step === "decide") assert.equal(new Set(members.flatMap(instancesOf)).size, members.length);
      }
      for (const one of ["x", "y", "z"]) {
        const isIts = (each: Operation): boolean => instancesOf(each).includes(one);
        assert.deepEqual(planned.filter(isIts), operations.filter(isIts));
      }
    });
    fc.assert(property, { numRuns: 500 });
  });
});
