// What a step costs far into a run beside what it costs at its beginning, live and after a resume, and what a resume of 10,000 steps takes.
//   node packages/sdk/bench/flat.ts [sqlite|memory] [--json]
// Steps are measured in processor time, which other programs on the machine disturb least.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { step, workflow } from "@runtara/sdk";
import { open } from "@runtara/sdk/embedded";
import { openStore, type Store } from "@runtara/store";
import { openMemoryStore } from "@runtara/store/memory";

const far = 10_000;
const perWindow = 500;
const result = { total: 7, items: [{ id: "a", price: 12.5 }] };

/** Processor time a step, in µs, by window of steps that ran in this life. */
let windows: { readonly until: number; readonly microseconds: number }[] = [];
let stopAt = Number.POSITIVE_INFINITY;
let onBody: (n: number) => void = () => {};

const long = workflow("long", async (count: number) => {
  let [from, ran] = [process.cpuUsage(), 0];
  for (let n = 1; n <= count; n++) {
    await step("charge", () => {
      ran++;
      onBody(n);
      return n === stopAt ? new Promise<never>(() => {}) : result;
    });
    if (n % perWindow > 0) continue;
    const { user, system } = process.cpuUsage(from);
    if (ran === perWindow) windows.push({ until: n, microseconds: (user + system) / perWindow });
    [from, ran] = [process.cpuUsage(), 0];
  }
  return count;
});

function reached(n: number): Promise<void> {
  return new Promise((resolve) => {
    onBody = (at) => {
      if (at === n) resolve();
    };
  });
}

/** The median of the windows between these steps. */
function costBetween(from: number, to: number): number {
  const costs = windows.filter(({ until }) => until > from && until <= to).map(({ microseconds }) => microseconds);
  return costs.sort((a, b) => a - b)[Math.floor(costs.length / 2)] ?? Number.NaN;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false } },
});
/** Ratios and ms of each round, for machines. */
const figures: { live: number[]; resumed: number[]; resumeMs: number[] } = { live: [], resumed: [], resumeMs: [] };

function report(what: "live" | "resumed", early: number, late: number): void {
  figures[what].push(late / early);
  if (values.json) return;
  const costs = `${early.toFixed(1)} µs a step at the beginning, ${late.toFixed(1)} µs behind step ${far}`;
  console.log(`${what}: ${costs}; ${(late / early).toFixed(2)} times as much`);
}

async function measure(store: Store): Promise<void> {
  const warm = await open({ store, workflows: [long] });
  await warm.run(long, 3 * perWindow);
  windows = [];
  await warm.run(long, far + 3 * perWindow);
  const early = costBetween(0, 3 * perWindow);
  report("live", early, costBetween(far, far + 3 * perWindow));
  await warm.close();
  for (let round = 0; round < 3; round++) await resume(store, `resumed-${round}`, early);
}

/** One process leaves an instance at step 10,000, another goes on with it. */
async function resume(store: Store, id: string, early: number): Promise<void> {
  const count = far + 4 * perWindow;
  stopAt = far + 1;
  const left = await open({ store, workflows: [long] });
  const stopped = reached(stopAt);
  await left.start(long, count, { id });
  await stopped;
  await left.close({ drain: 0 });

  stopAt = Number.POSITIVE_INFINITY;
  windows = [];
  const live = reached(far + 1);
  const begin = performance.now();
  const next = await open({ store, workflows: [long] });
  await live;
  const tookMs = performance.now() - begin;
  figures.resumeMs.push(tookMs);
  if (!values.json) console.log(`resume at step ${far}, from open to the first body: ${tookMs.toFixed(0)} ms`);
  await next.get(long, id).result();
  report("resumed", early, costBetween(far, count));
  await next.close();
}

const folder = mkdtempSync(join(tmpdir(), "runtara-flat-"));
const store = positionals[0] === "memory" ? openMemoryStore() : await openStore(`sqlite:${join(folder, "flat.db")}`);
try {
  await measure(store);
} finally {
  await store.close();
  rmSync(folder, { recursive: true });
}
if (values.json) console.log(JSON.stringify(figures));
