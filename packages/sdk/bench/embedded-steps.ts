// Steps per second of an embedded runtime: 64 workflows of 100 steps at once, and one workflow whose steps follow one another.
//   node packages/sdk/bench/embedded-steps.ts [--store URL] [--rounds N] [--sources] [--json]
// What is built is measured (npx tsc -b first); --sources: run by `node --conditions=runtara-src`, the sources.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { step, workflow } from "@runtara/sdk";
import { open } from "@runtara/sdk/embedded";
import { openStore, type Store } from "@runtara/store";

const { values } = parseArgs({
  options: {
    store: { type: "string" },
    rounds: { type: "string", default: "5" },
    json: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
const result = { total: 7, items: [{ id: "a", price: 12.5 }], note: "a result of about 100 bytes, as steps have" };

const steps = workflow("steps", async (count: number) => {
  for (let index = 0; index < count; index++) await step("charge", () => result);
});

interface Figure {
  readonly what: string;
  readonly stepsPerSecond: number;
  readonly microsecondsPerStep: number;
  /** Of this process: what is left of the figure on a busy machine. */
  readonly cpuMicrosecondsPerStep: number;
  readonly statementsPerStep: number;
  readonly transactionsPerStep: number;
}

/** The median of the rounds by time; the first round only warms up. */
async function measure(
  store: Store,
  what: string,
  stepsPerRound: number,
  round: () => Promise<unknown>,
): Promise<Figure> {
  await round();
  const figures: Figure[] = [];
  for (let number = 0; number < rounds; number++) {
    const before = store.stats();
    const begin = performance.now();
    const cpuBegin = process.cpuUsage();
    await round();
    const elapsedMs = performance.now() - begin;
    const cpu = process.cpuUsage(cpuBegin);
    const after = store.stats();
    figures.push({
      what,
      stepsPerSecond: Math.round((stepsPerRound * 1_000) / elapsedMs),
      microsecondsPerStep: rounded((elapsedMs * 1_000) / stepsPerRound),
      cpuMicrosecondsPerStep: rounded((cpu.user + cpu.system) / stepsPerRound),
      statementsPerStep: rounded((after.statements - before.statements) / stepsPerRound),
      transactionsPerStep: rounded((after.transactions - before.transactions) / stepsPerRound),
    });
  }
  figures.sort((one, other) => one.stepsPerSecond - other.stepsPerSecond);
  return figures[Math.floor(figures.length / 2)] as Figure;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

const folder = mkdtempSync(join(tmpdir(), "runtara-bench-"));
const store = await openStore(values.store ?? `sqlite:${join(folder, "bench.db")}`);
const runtime = await open({ store, workflows: [steps] });
try {
  const figures = [
    await measure(store, "64 workflows of 100 steps", 6_400, () =>
      Promise.all(Array.from({ length: 64 }, () => runtime.run(steps, 100))),
    ),
    await measure(store, "64 workflows of 1,000 steps", 64_000, () =>
      Promise.all(Array.from({ length: 64 }, () => runtime.run(steps, 1_000))),
    ),
    await measure(store, "one after another, 5,000 steps", 5_000, () => runtime.run(steps, 5_000)),
  ];
  if (values.json) console.log(JSON.stringify(figures));
  else console.table(figures);
} finally {
  await runtime.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
}
