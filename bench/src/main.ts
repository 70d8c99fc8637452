// `npm run bench`: measures ours and the original side by side and prints the tables.
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import type { Benchmark, Results } from "./benchmarks/benchmark.ts";
import { calls } from "./benchmarks/calls.ts";
import { checkpoints } from "./benchmarks/checkpoints.ts";
import { clients } from "./benchmarks/clients.ts";
import { crashPostgres } from "./benchmarks/crash-postgres.ts";
import { crashSqlite } from "./benchmarks/crash-sqlite.ts";
import { echo } from "./benchmarks/echo.ts";
import { fsync } from "./benchmarks/fsync.ts";
import { fullStore } from "./benchmarks/full-store.ts";
import { memory } from "./benchmarks/memory.ts";
import { postgres } from "./benchmarks/postgres.ts";
import { postgresTwo } from "./benchmarks/postgres-two.ts";
import { sdk } from "./benchmarks/sdk.ts";
import { slowDisk } from "./benchmarks/slow-disk.ts";
import { statements } from "./benchmarks/statements.ts";
import { states } from "./benchmarks/states.ts";
import { steps } from "./benchmarks/steps.ts";
import { upload } from "./benchmarks/upload.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { buildPeers } from "./peers.ts";
import { fullPlan, quickPlan } from "./plan.ts";
import { renderResults } from "./report.ts";
import { renderTable } from "./table.ts";
import type { Target } from "./target.ts";
import { targetsOf } from "./targets.ts";

const benchmarks: readonly Benchmark[] = [
  echo,
  clients,
  upload,
  checkpoints,
  calls,
  states,
  slowDisk,
  postgres,
  postgresTwo,
  fullStore,
  memory,
  fsync,
  statements,
  steps,
  sdk,
  crashSqlite,
  crashPostgres,
];

interface Options {
  readonly json: boolean;
  readonly quick: boolean;
  readonly rounds?: string;
  readonly seconds?: string;
  readonly dir: string;
}

const program = new Command("bench")
  .description("Figures of ours and of the original Rust system side by side, under the original's own client.")
  .argument("[NAME...]", "only benchmarks whose name contains one of these words")
  .option("--json", "one JSON object on stdout instead of tables", false)
  .option(
    "--quick",
    "some minutes instead of half an hour: shows that everything runs, gives no figures to quote",
    false,
  )
  .option("--rounds <N>", "measure each server so many times")
  .option("--seconds <S>", "length of one measurement")
  .option("--dir <DIR>", "where databases are written while it runs", tmpdir())
  .addHelpText(
    "after",
    `\nBenchmarks:\n${benchmarks.map(({ name, about }) => `  ${name.padEnd(14)} ${about}`).join("\n")}`,
  );
program.parse();
await main(program.args, program.opts<Options>()).catch((error: Error) => {
  progress(error.message);
  process.exitCode = 1;
});

async function main(words: readonly string[], options: Options): Promise<void> {
  const chosen = benchmarks.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
  if (chosen.length === 0) program.error(`no benchmark is named like ${words.join(" ")}`);
  const base = options.quick ? quickPlan : fullPlan;
  const plan = {
    ...base,
    rounds: positive("--rounds", options.rounds, base.rounds),
    seconds: positive("--seconds", options.seconds, base.seconds),
  };
  const dataFolder = temporaryFolder(options.dir);
  const machine = await describeMachine(dataFolder);
  progress(machineLine(machine));
  const binFolder = chosen.every(({ isWithoutOriginal }) => isWithoutOriginal === true) ? "" : await buildPeers();
  const ground = { binFolder, dataFolder };

  const all: Results[] = [];
  for (const benchmark of chosen) {
    progress(`${benchmark.name}: ${benchmark.about}`);
    all.push(await benchmark.run(ground, plan, progress));
  }
  const results: Results = {
    comparisons: all.flatMap(({ comparisons }) => comparisons),
    figures: all.flatMap(({ figures }) => figures),
    facts: all.flatMap(({ facts = [] }) => facts),
    steps: all.flatMap(({ steps = [] }) => steps),
  };
  const targets = targetsOf(results);
  if (options.json) process.stdout.write(`${JSON.stringify({ machine, plan, ...results, targets })}\n`);
  else process.stdout.write(`${[machineLine(machine), renderResults(results), renderTargets(targets)].join("\n\n")}\n`);
}

/** Gone when this process ends, however it ends; the servers in it have been killed by then. */
function temporaryFolder(parent: string): string {
  const folder = mkdtempSync(join(parent, "runtara-bench-"));
  // PostgreSQL runs as another user and loads a library from here.
  chmodSync(folder, 0o755);
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }));
  return folder;
}

function renderTargets(targets: readonly Target[]): string {
  if (targets.length === 0) return "";
  const rows = targets.map(({ name, wanted, got, met }) => [name, wanted, got, met ? "met" : "MISSED"]);
  return renderTable([["target", "wanted", "got", ""], ...rows]);
}

function positive(option: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!(value > 0)) program.error(`${option} takes a number above 0, not ${text}`);
  return value;
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
