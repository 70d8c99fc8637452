// `npm run demo`: a durable workflow over real files, killed again and again, and the proof that nothing was lost or done twice.
import { randomInt } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { listFiles } from "../files.ts";
import type { ManifestInput } from "../workflow.ts";
import { judge } from "./judge.ts";
import { type Outcome, play } from "./scenario.ts";
import { openScreen, summary } from "./screen.ts";

/** Fewer files would be hashed before the kills could strike. */
const filesMin = 200;
const stepsWanted = 1500;
const lanes = 4;

const program = new Command("npm run demo --")
  .description(
    "Makes a SHA-256 manifest of every file below DIR with a durable workflow, while the workflow process is killed three times and the core once (SIGKILL).",
  )
  .argument("[DIR]", "folder with at least 200 files", resolve(import.meta.dirname, "../../../.."))
  .option("--seed <N>", "decides who is killed when; printed by every run", wholeNumber)
  .option("--json", "print one JSON object instead of the show", false)
  .option("--keep", "keep the working folder with the database, the manifest and the ledger", false)
  .option("--all", "include .git and target folders, which other programs may change meanwhile", false)
  .parse();

const options = program.opts<{ seed?: number; json: boolean; keep: boolean; all: boolean }>();
const dir = resolve(program.args[0] ?? program.processedArgs[0]);
const seed = options.seed ?? randomInt(1_000_000);

process.exitCode = await main().catch((error: Error) => {
  console.error(`demo: ${error.message} (repeat with --seed ${seed})`);
  return 1;
});

async function main(): Promise<number> {
  const skip = options.all ? [] : [".git", "target"];
  if (!existsSync(dir) || !statSync(dir).isDirectory())
    return refuse(`${dir} is not a folder. Name one that exists, or none for the project's own tree.`);
  const files = await listFiles(dir, skip);
  if (files.length < filesMin)
    return refuse(
      `${dir} has ${files.length} files; the demo needs at least ${filesMin} to be killed in the middle of.`,
    );

  const work = mkdtempSync(join(tmpdir(), "runtara-demo-"));
  const screen = openScreen(process.stdout, options.json);
  process.once("exit", () => options.keep || rmSync(work, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

  const filesPerStep = Math.max(1, Math.ceil(files.length / stepsWanted));
  const batches = Math.ceil(files.length / filesPerStep);
  const input: ManifestInput = {
    dir,
    skip,
    manifest: join(work, "manifest.sha256"),
    ledger: join(work, "ledger"),
    filesPerStep,
    lanes,
  };
  const instance = `manifest-${seed}`;
  if (!options.json) console.log(`${files.length} files below ${dir}, ${batches} steps, seed ${seed}`);

  const evidence = await play(seed, instance, input, batches, join(work, "core.db"), screen);
  screen.close();
  const promises = await judge(input, { files: files.length, batches }, evidence);
  const bytes = bytesOf(evidence.last.stdout);
  const outcome: Outcome = {
    seed,
    instance,
    files: files.length,
    bytes,
    steps: batches,
    durationMs: Math.round(evidence.durationMs),
    timeline: evidence.timeline,
    promises,
  };

  if (options.json) console.log(JSON.stringify(outcome));
  else {
    console.log(summary(outcome));
    console.log(
      `${files.length} files, ${(bytes / 1e6).toFixed(0)} MB, ${batches} steps in ${(outcome.durationMs / 1000).toFixed(1)} s`,
    );
    if (options.keep) console.log(`kept: ${work}`);
  }
  const broken = promises.filter(({ kept }) => !kept);
  for (const { promise } of broken) console.error(`broken promise: ${promise} (repeat with --seed ${seed})`);
  return broken.length === 0 ? 0 : 1;
}

function bytesOf(stdout: string): number {
  try {
    return (JSON.parse(stdout) as { output?: { bytes?: number } }).output?.bytes ?? 0;
  } catch {
    return 0;
  }
}

function refuse(message: string): number {
  console.error(`demo: ${message}`);
  return 2;
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0)
    throw new InvalidArgumentError(`${text} is not a whole number from 0 on.`);
  return number;
}
