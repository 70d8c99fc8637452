// Memory of embedded processes that have 100,000 sleeping instances, in MB.
//   node packages/sdk/bench/sleepers.ts [--count N] [--json]
// startedPeak, startedAsleep: of the process that has started them all, at its peak and when all have gone to sleep; much of that is garbage, whose
// collection V8 puts off while the machine has memory. startedHeld: what its heap holds, garbage collected. found: of a process that was opened
// later and has them all.
// What is built is measured: npx tsc -b first.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { sleep, step, workflow } from "@runtara/sdk";
import { open } from "@runtara/sdk/embedded";
import { openStore } from "@runtara/store";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100000" },
    json: { type: "boolean", default: false },
    find: { type: "string" },
  },
});
const startsAtOnce = 500;
const megabytes = (bytes: number): number => Math.round(bytes / 1e6);

const nap = workflow("nap", async (number: number) => {
  await step("first", () => number);
  await sleep("long", "30d");
});

function collect(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

async function measure(url: string, count: number): Promise<Record<string, number>> {
  const store = await openStore(url);
  const runtime = await open({ store, workflows: [nap] });
  /** Instances that still run or wait to be run. */
  const awake = async (): Promise<number> => {
    let total = 0;
    for (const status of ["pending", "running"] as const) {
      const listed = await store.run({ kind: "listInstances", status, limit: 1 });
      if (listed.outcome === "page") total += listed.total ?? 0;
    }
    return total;
  };
  const begin = performance.now();
  for (let from = 0; from < count; from += startsAtOnce) {
    const some = Array.from({ length: Math.min(startsAtOnce, count - from) }, (_, index) => from + index);
    await Promise.all(some.map((number) => runtime.start(nap, number, { id: `nap-${number}` })));
  }
  while ((await awake()) > 0) await delay(100);
  const seconds = Math.round((performance.now() - begin) / 100) / 10;
  await delay(2_000);
  const startedPeak = megabytes(process.resourceUsage().maxRSS * 1_024);
  const startedAsleep = megabytes(process.memoryUsage.rss());
  collect();
  const startedHeld = megabytes(process.memoryUsage().heapUsed);
  await runtime.close();
  await store.close();
  return { count, seconds, startedPeak, startedAsleep, startedHeld };
}

/** Of a process that is opened on what others have started. */
async function find(url: string): Promise<void> {
  const runtime = await open({ store: url, workflows: [nap] });
  await delay(3_000);
  console.log(megabytes(process.memoryUsage.rss()));
  await runtime.close();
}

if (values.find === undefined) {
  const folder = mkdtempSync(join(tmpdir(), "runtara-bench-"));
  try {
    const url = `sqlite:${join(folder, "bench.db")}`;
    const started = await measure(url, Number(values.count));
    const found = Number(execFileSync(process.execPath, [import.meta.filename, "--find", url], { encoding: "utf8" }));
    const figures = { ...started, found };
    if (values.json) console.log(JSON.stringify(figures));
    else console.table([figures]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
} else {
  await find(values.find);
}
