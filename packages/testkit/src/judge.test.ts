import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeAlone, judgePair } from "./judge.ts";
import { Recorder } from "./recorder.ts";
import type { Trial } from "./trial.ts";

const subject = { what: "everyCrash", seed: 7 };

function trial(end = "completed 1", prepare: (recorder: Recorder) => void = () => {}): Trial {
  const recorder = new Recorder();
  prepare(recorder);
  return { recorder, world: { seen: [{ id: "i", workflow: "w", end, published: ["a = 1"], events: [] }] } };
}

const save = {
  kind: "saveBatch",
  instanceId: "i",
  epoch: 1,
  entries: [{ checkpointId: "a", state: new Uint8Array() }],
  messages: [],
  nowMs: 0,
} as const;

test("an attempt that runs twice in one life is a fault, in two lives it is none", () => {
  const body = { instanceId: "i", id: "a", attempt: 1 };
  const twice = trial("completed 1", (recorder) => {
    recorder.began({ ...body, life: 1 });
    recorder.began({ ...body, life: 1 });
  });
  assert.throws(() => judgeAlone(subject, twice), /the body of a ran twice as attempt 1/);
  judgeAlone(
    subject,
    trial("completed 1", (recorder) => {
      recorder.began({ ...body, life: 1 });
      recorder.began({ ...body, life: 2 });
      recorder.began({ ...body, life: 2, attempt: 2 });
    }),
  );
});

test("a body that runs though its outcome is acknowledged is a fault", () => {
  const again = trial("completed 1", (recorder) => {
    recorder.committed(1, { number: 1, operation: save, ids: ["a"] });
    recorder.began({ life: 2, instanceId: "i", id: "a", attempt: 1 });
  });
  assert.throws(() => judgeAlone(subject, again), /the body of a ran again after its outcome had been stored/);
});

test("a difference is told with both sides, the place, warnings and the seed", () => {
  const other = trial("completed 2", (recorder) => {
    recorder.warnings.push("Date.now() at order.ts:3", "Date.now() at order.ts:3");
    recorder.died({ number: 4, operation: save, ids: ["a"] }, { at: 4, when: "after" });
  });
  assert.throws(
    () => judgePair(subject, trial(), other, "with a crash somewhere"),
    ({ message }: Error) => {
      assert.match(message, /expected: instance i of w: end: completed 1\n +got: +instance i of w: end: completed 2\n/);
      assert.equal(message.match(/warning: Date\.now\(\) at order\.ts:3/g)?.length, 1);
      assert.match(message, /\{ seed: 7 \}/);
      return true;
    },
  );
  judgePair(subject, trial(), trial(), "");
});
