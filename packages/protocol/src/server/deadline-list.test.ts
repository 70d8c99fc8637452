import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import * as fc from "fast-check";
import { seed } from "../testing/messages.ts";
import { type Deadline, DeadlineList } from "./deadline-list.ts";

/** A list on a clock that the test moves, and what has expired on it. */
function listOnMockedTime(t: TestContext, lengthMs: number) {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
  const list = new DeadlineList(lengthMs, () => Date.now());
  const expired: [string, number][] = [];
  const add = (name: string): Deadline | undefined => list.add({ expire: () => void expired.push([name, Date.now()]) });
  // Step by step, because the mocked clock is at the end of a tick before its timers run.
  const pass = (ms: number): void => {
    for (let i = 0; i < ms; i++) t.mock.timers.tick(1);
  };
  return { list, expired, add, pass };
}

test("each expires at its time, in the order of arrival, and not if it was taken out", (t) => {
  const { list, expired, add, pass } = listOnMockedTime(t, 100);
  add("a");
  const b = add("b");
  pass(30);
  add("c");
  pass(40);
  if (b) list.remove(b);
  pass(29);
  assert.deepEqual(expired, []);
  pass(1);
  assert.deepEqual(expired, [["a", 100]]);
  pass(200);
  assert.deepEqual(expired, [
    ["a", 100],
    ["c", 130],
  ]);
  // An empty list sets its timer anew.
  add("d");
  pass(100);
  assert.deepEqual(expired.at(-1), ["d", 400]);
});

test("taking out twice, after expiry, or after clear does nothing", (t) => {
  const { list, expired, add, pass } = listOnMockedTime(t, 10);
  const [a, b] = [add("a"), add("b")];
  assert.ok(a && b);
  list.remove(a);
  list.remove(a);
  pass(10);
  list.remove(b);
  assert.deepEqual(expired, [["b", 10]]);
  const c = add("c");
  list.clear();
  if (c) list.remove(c);
  add("d");
  pass(100);
  assert.deepEqual(expired, [
    ["b", 10],
    ["d", 20],
  ]);
});

test("length 0: nothing ever expires", (t) => {
  const { expired, add, pass } = listOnMockedTime(t, 0);
  assert.equal(add("a"), undefined);
  pass(1_000);
  assert.deepEqual(expired, []);
});

test("one may add and take out others while it expires", (t) => {
  const { list, expired, add, pass } = listOnMockedTime(t, 10);
  let other: Deadline | undefined;
  list.add({
    expire() {
      if (other) list.remove(other);
      add("later");
    },
  });
  other = add("other");
  add("last");
  pass(10);
  assert.deepEqual(expired, [["last", 10]]);
  pass(10);
  assert.deepEqual(expired.at(-1), ["later", 20]);
});

test("any sequence expires what a plain list of times says", (t) => {
  const lengthMs = 50;
  const { list, expired, add, pass } = listOnMockedTime(t, lengthMs);
  const step = fc.oneof(
    fc.record({ pass: fc.nat(60) }),
    fc.record({ add: fc.constant(true) }),
    fc.record({ remove: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      list.clear();
      expired.length = 0;
      const waiting = new Map<string, { deadline: Deadline; atMs: number }>();
      const expected: [string, number][] = [];
      let count = 0;
      for (const one of steps) {
        if ("add" in one) {
          const name = `${count++}`;
          waiting.set(name, { deadline: add(name) ?? assert.fail(), atMs: Date.now() + lengthMs });
        } else if ("remove" in one) {
          const names = [...waiting.keys()];
          const name = names[one.remove % Math.max(1, names.length)] ?? "";
          const gone = waiting.get(name);
          if (gone) list.remove(gone.deadline);
          waiting.delete(name);
        } else {
          pass(one.pass);
          for (const [name, { atMs }] of waiting) {
            if (atMs > Date.now()) continue;
            waiting.delete(name);
            expected.push([name, atMs]);
          }
        }
      }
      assert.deepEqual(expired, expected);
    }),
    { seed },
  );
});
