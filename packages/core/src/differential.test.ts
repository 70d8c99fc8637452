import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Store } from "@runtara/store";
import fc from "fast-check";
import { historyOf, type Turn } from "./testing/calls.ts";
import { engines } from "./testing/engines.ts";
import { Model } from "./testing/model.ts";
import { projected, runOn, runOnModel, Subject } from "./testing/subject.ts";

// Random histories on every engine and on the model: each answer of each is the same, and so is what can be read at the end. A long run:
//   RUNS=200 TURNS=100 node --conditions=runtara-src --test packages/core/src/differential.test.ts

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const numRuns = Number(process.env.RUNS ?? 20);
const patienceMs = 30_000;
const shrinkingMs = 240_000;
const turnsMax = Number(process.env.TURNS ?? 40);

async function compare(history: readonly Turn[]): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const stores: Store[] = [];
  for (const engine of engines) {
    const database = await engine.create();
    opened.defer(() => database.dispose());
    const store = await database.open();
    opened.defer(() => store.close());
    stores.push(store);
  }
  const model = new Subject(runOnModel(new Model()));
  const subjects = stores.map((store) => new Subject(runOn(store)));
  const nameOf = (index: number) => engines[index]?.name ?? "";
  let nowMs = 1_000_000;
  for (const [number, turn] of [...history, "dump" as const].entries()) {
    nowMs += turn === "dump" ? 0 : turn.passMs;
    const take = (subject: Subject) => (turn === "dump" ? subject.dump(nowMs) : subject.take(turn.calls, nowMs));
    const expected = await take(model);
    const answers = await Promise.all(
      subjects.map((subject, index) => answeredInTime(take(subject), `${nameOf(index)}, turn ${number}`)),
    );
    for (const [index, answer] of answers.entries()) {
      const spokenOf = answer.map((one, place) => projected(one, expected[place] ?? null));
      assert.deepEqual(spokenOf, expected, `${nameOf(index)}, turn ${number}`);
      assert.deepEqual(answer, answers[0], `${nameOf(index)} against ${nameOf(0)}, turn ${number}`);
    }
  }
}

/** An engine that never answers is to be named, not waited for. */
async function answeredInTime<T>(answer: Promise<T>, what: string): Promise<T> {
  const patience = new AbortController();
  const late = delay(patienceMs, undefined, { signal: patience.signal }).then(() => {
    throw new Error(`no answer within ${patienceMs} ms: ${what}`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([answer, late]);
  } finally {
    patience.abort();
  }
}

test(`every engine answers as the model does (SEED=${seed})`, async () => {
  // The time is for making a failing history shorter: what is found until then is shown.
  const interrupt = { interruptAfterTimeLimit: shrinkingMs * Math.max(1, numRuns / 20), markInterruptAsFailure: true };
  await fc.assert(fc.asyncProperty(historyOf(turnsMax), compare), { seed, numRuns, ...interrupt });
});
