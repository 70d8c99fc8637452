// Steps per second and microseconds per step over a real core. The engine alone: engine.ts.
//   node --conditions=runtara-src packages/sdk/bench/steps.ts [--seconds N] [--json]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startCore } from "@runtara/core/server";
import { runInstance } from "@runtara/sdk/worker";
import { type AnyWorkflow, step, workflow } from "../src/index.ts";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "2" }, json: { type: "boolean", default: false } },
});
const seconds = Number(values.seconds);
const result = {
  total: 7,
  items: [
    { id: "a", price: 12.5 },
    { id: "b", price: 3 },
  ],
  note: "a result of some 100 bytes, as steps have",
};

interface Figure {
  what: string;
  steps: number;
  microsecondsPerStep: number;
  stepsPerSecond: number;
  /** Of this process, both sides when the core runs in it: what is left of the figure on a busy machine. */
  cpuMicrosecondsPerStep: number;
}

/** Repeats until the time is up; the first round only warms up. */
async function measure(what: string, stepsPerRound: number, round: () => Promise<unknown>): Promise<Figure> {
  await round();
  const begin = performance.now();
  const cpuBegin = process.cpuUsage();
  let steps = 0;
  while (performance.now() - begin < seconds * 1_000) {
    await round();
    steps += stepsPerRound;
  }
  const elapsedMs = performance.now() - begin;
  const cpu = process.cpuUsage(cpuBegin);
  return {
    what,
    steps,
    microsecondsPerStep: (elapsedMs * 1_000) / steps,
    stepsPerSecond: (steps * 1_000) / elapsedMs,
    cpuMicrosecondsPerStep: (cpu.user + cpu.system) / steps,
  };
}

async function overCore(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "runtara-bench-"));
  const core = await startCore({ databaseUrl: `sqlite:${join(folder, "core.db")}`, bindAddr: "127.0.0.1:0" });
  const serial = workflow("serial", async (count: number) => {
    for (let index = 0; index < count; index++) await step("charge", () => result);
  });
  const parallel = workflow("parallel", async (count: number) => {
    await Promise.all(Array.from({ length: count }, () => step("charge", () => result)));
  });
  let instances = 0;
  const run = (which: AnyWorkflow, count: number) =>
    runInstance(which, {
      server: core.address,
      dangerouslySkipVerification: true,
      instanceId: `bench-${instances++}`,
      input: count,
    });
  try {
    return [
      await measure("over a core in this process, one step after another", 1_000, () => run(serial, 1_000)),
      await measure("over a core in this process, 5,000 steps at once", 5_000, () => run(parallel, 5_000)),
      await measure("over a core in this process, 16 instances at once", 16 * 500, () =>
        Promise.all(Array.from({ length: 16 }, () => run(serial, 500))),
      ),
    ];
  } finally {
    await core.close();
    rmSync(folder, { recursive: true });
  }
}

const figures = await overCore();
if (values.json) console.log(JSON.stringify(figures));
else {
  for (const { what, microsecondsPerStep, stepsPerSecond, cpuMicrosecondsPerStep } of figures) {
    const [wall, cpu] = [microsecondsPerStep.toFixed(2), cpuMicrosecondsPerStep.toFixed(2)];
    console.log(
      `${what}: ${wall} µs per step (CPU ${cpu} µs), ${Math.round(stepsPerSecond).toLocaleString("en")} steps/s`,
    );
  }
}
