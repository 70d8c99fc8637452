import assert from "node:assert/strict";
import { test } from "node:test";
import { compareStores, describeDifference, randomOperations } from "@runtara/store/testing";
import { rules } from "../lifecycle/rules.ts";
import type { Rule } from "../lifecycle/table.ts";
import { openMemoryStore } from "./index.ts";

// The long run: RANDOM_SEEDS=50 RANDOM_OPERATIONS=10000 node --conditions=runtara-src --test packages/store/src/memory/random.test.ts
const seeds = Number(process.env.RANDOM_SEEDS ?? 24);
const count = Number(process.env.RANDOM_OPERATIONS ?? 4_000);
const firstSeed = Number(process.env.RANDOM_SEED ?? 1);

/**
 * Lines that no operation asks the table about, because something else has looked before: which statuses accept a save or a request, what a
 * claim or a timer finds, whom a waiting name or a lease belongs to.
 */
const judgedBefore = new Set([
  "claim from pending: refused",
  "claim from completed: refused",
  "save from running: moves",
  "save from pending: refused",
  "requestCancel from completed: refused",
  "requestPause from completed: refused",
  "requestResume from completed: refused",
  "signalArrived from pending: ignored",
  "kill from completed: ignored",
  "timeOut from pending: ignored",
  "loseTrack from pending: ignored",
  "leaseEnded from pending: ignored",
  "release from pending: ignored",
  "release from suspended: moves",
]);

function nameOf({ on, from, outcome }: Rule): string {
  return `${on} from ${from[0]}: ${typeof outcome === "string" ? outcome : "moves"}`;
}

/** Counts how often each line is the one that fits: `fits` reads `from` of a line, then `transition` its outcome. */
function countHits(): ReadonlyMap<Rule, number> {
  const hits = new Map<Rule, number>(rules.map((rule) => [rule, 0]));
  let lookedAt: Rule | undefined;
  for (const rule of rules) {
    const { from, outcome } = rule;
    Object.defineProperty(rule, "from", {
      get() {
        lookedAt = rule;
        return from;
      },
    });
    Object.defineProperty(rule, "outcome", {
      get() {
        if (lookedAt === rule) hits.set(rule, (hits.get(rule) ?? 0) + 1);
        lookedAt = undefined;
        return outcome;
      },
    });
  }
  return hits;
}

const lines = rules.map((rule) => ({ rule, name: nameOf(rule), text: JSON.stringify(rule) }));
const hits = countHits();

test(`random operations never fail, and a copy answers as its original does (seeds ${firstSeed}…${firstSeed + seeds - 1})`, async () => {
  for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
    const store = openMemoryStore();
    const operations = randomOperations(seed);
    const before = await compareStores([store], operations, { count: count / 2 });
    assert.equal(before, undefined, before && `seed ${seed}: ${describeDifference(before)}`);
    const copy = store.copy();
    const after = await compareStores([store, copy], operations, { count: count / 2, together: 8 });
    assert.equal(after, undefined, after && `seed ${seed}: ${describeDifference(after)}`);
    await store.close();
    await copy.close();
  }
});

test("every line of the lifecycle that operations can meet was met", () => {
  const missed = lines.filter(({ rule, name }) => hits.get(rule) === 0 && !judgedBefore.has(name));
  assert.deepEqual(
    missed.map(({ text }) => text),
    [],
  );
});
