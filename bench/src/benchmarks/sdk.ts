import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "../child.ts";
import { installPacked } from "../packed.ts";
import { median } from "../statistics.ts";
import type { Benchmark, Fact } from "./benchmark.ts";

const packages = join(import.meta.dirname, "..", "..", "..", "packages");

/** What users meet of the SDK beside its rate: the first start, long histories, many sleepers, the test kit. */
export const sdk: Benchmark = {
  name: "sdk",
  about:
    "the SDK embedded on SQLite: cold start from packed tarballs, flat cost, resume, 100,000 sleepers; the test kit",
  isWithoutOriginal: true,
  async run({ dataFolder }, _plan, progress) {
    const facts: Fact[] = [];
    const fact = (name: string, value: number, unit: string): void => {
      facts.push({ benchmark: "sdk", name, value, unit });
      progress(`sdk: ${name}: ${value.toFixed(2)} ${unit}`);
    };
    const folder = await installPacked(await mkdtemp(join(dataFolder, "packed-")), progress);
    const cold = await json<{ result: number }>(["sdk", "bench", "cold-start.ts"], ["--from", folder, "--json"]);
    fact("import to first durable result", cold.result, "ms");
    const flat = await json<Record<"live" | "resumed" | "resumeMs", number[]>>(["sdk", "bench", "flat.ts"], ["--json"]);
    fact("step 10,000 against step 100, live", median(flat.live), "×");
    fact("step 10,000 against step 100, after a resume", median(flat.resumed), "×");
    fact("resume at step 10,000", median(flat.resumeMs), "ms");
    const kit = await json<Record<string, number>>(["testkit", "bench", "bench.ts"], ["--json"]);
    fact("30 days with ten timers in the test kit", kit["30 days with ten timers"] ?? Number.NaN, "ms");
    fact("everyCrash over 50 steps", kit["everyCrash over 50 steps"] ?? Number.NaN, "ms");
    const asleep = await json<Record<string, number>>(["sdk", "bench", "sleepers.ts"], ["--json"]);
    fact("100,000 sleepers, a process opened on them", asleep.found ?? Number.NaN, "MB");
    fact("100,000 sleepers, the process that started them", asleep.startedAsleep ?? Number.NaN, "MB");
    return { comparisons: [], figures: [], facts };
  },
};

/** What a program of a package's bench folder prints. */
async function json<Figures>(path: readonly string[], args: readonly string[]): Promise<Figures> {
  const program = join(packages, ...path);
  return JSON.parse(await runProgram(process.execPath, [program, ...args])) as Figures;
}
