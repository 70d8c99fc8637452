import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { seedOfRun } from "../testing/rng.ts";
import { createRounds } from "./rounds.ts";
import { settle } from "./testing/setup.ts";

test("the turns that are asked for before a round are run in it, and what they made is flushed once behind the last", async () => {
  const told: string[] = [];
  const rounds = createRounds(() => told.push("flush"));
  for (const name of ["a", "b", "c"]) {
    const turns = rounds.makeTurns(
      () => {
        told.push(`begin ${name}`);
        queueMicrotask(() => told.push(`microtask of ${name}`));
        rounds.add({ flush: () => told.push(`save ${name}`) });
      },
      () => told.push(`end ${name}`),
    );
    turns.schedule();
    turns.schedule();
  }
  await settle();
  assert.deepEqual(told, [
    ...["a", "b", "c"].flatMap((name) => [`begin ${name}`, `microtask of ${name}`, `end ${name}`]),
    ...["save a", "save b", "save c", "flush"],
  ]);
});

test("nothing but its microtasks runs between the begin and the end of a turn", async () => {
  const seed = seedOfRun();
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 4 }), async (runs, turnsEach) => {
      const rounds = createRounds(() => {});
      let inside: number | undefined;
      let ended = 0;
      for (let run = 0; run < runs; run++) {
        let left = turnsEach;
        const turns = rounds.makeTurns(
          () => {
            assert.equal(inside, undefined);
            assert.ok(turns.isInside);
            inside = run;
            // Deeper than any await of a workflow.
            let hops = 20;
            const hop = (): void => {
              assert.equal(inside, run);
              if (hops-- > 0) queueMicrotask(hop);
            };
            hop();
          },
          () => {
            assert.equal(inside, run);
            assert.ok(!turns.isInside);
            inside = undefined;
            ended++;
            if (--left > 0) turns.schedule();
          },
        );
        turns.schedule();
        setImmediate(() => assert.equal(inside, undefined));
      }
      const other = setInterval(() => assert.equal(inside, undefined), 0);
      while (ended < runs * turnsEach) await settle(1);
      clearInterval(other);
    }),
    { seed, numRuns: 50 },
  );
});

test("a turn that is asked for while a round runs comes in the next one", async () => {
  const told: string[] = [];
  const rounds = createRounds(() => told.push("flush"));
  const second = rounds.makeTurns(
    () => told.push("second"),
    () => {},
  );
  const first = rounds.makeTurns(
    () => second.schedule(),
    () => told.push("first"),
  );
  first.schedule();
  await settle();
  assert.deepEqual(told, ["first", "flush", "second", "flush"]);
});

test("what becomes dirty outside a round is flushed by itself, together", async () => {
  const told: string[] = [];
  const rounds = createRounds(() => told.push("flush"));
  rounds.add({ flush: () => told.push("a") });
  rounds.add({ flush: () => told.push("b") });
  assert.deepEqual(told, []);
  await settle();
  assert.deepEqual(told, ["a", "b", "flush"]);
});

test("what becomes dirty while it is flushed goes out in the next flush", async () => {
  const told: string[] = [];
  let times = 0;
  const rounds = createRounds(() => {
    if (times++ === 0) rounds.add({ flush: () => told.push("late") });
    told.push("flush");
  });
  rounds.add({ flush: () => told.push("early") });
  await settle();
  assert.deepEqual(told, ["early", "flush", "late", "flush"]);
});
