// Holds what happened against what was promised. Every verdict rests on something outside the durable engine: the system's own sha256sum,
// the ledger that the steps wrote, exit codes.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { checkLedger, parseLedger } from "../ledger.ts";
import type { ManifestInput } from "../workflow.ts";
import type { Evidence, Verdict } from "./scenario.ts";

export interface Facts {
  files: number;
  batches: number;
}

export async function judge(input: ManifestInput, facts: Facts, evidence: Evidence): Promise<Verdict[]> {
  return [
    ended(evidence),
    killed(evidence),
    await manifestIsRight(input, facts),
    await ledgerHolds(input, facts, evidence),
    await nothingRunsAgain(input, facts, evidence),
  ];
}

function ended({ last }: Evidence): Verdict {
  const kept = last.code === 0;
  return {
    promise: "the workflow ends by itself",
    kept,
    detail: kept ? "exit 0" : `${last.signal ?? `exit ${last.code}`}; its last words:\n${last.stderr}`,
  };
}

function killed({ kills, planned }: Evidence): Verdict {
  const count = (target: string, of: { target: string }[]) => of.filter((kill) => kill.target === target).length;
  return {
    promise: "every planned kill struck a living process",
    kept: kills.length === planned.length,
    detail: `${count("workflow", kills)} of ${count("workflow", planned)} of the workflow, ${count("core", kills)} of ${count("core", planned)} of the core`,
  };
}

async function manifestIsRight(input: ManifestInput, facts: Facts): Promise<Verdict> {
  const promise = "the manifest is complete and correct";
  const text = await readFile(input.manifest, "utf8").catch(() => undefined);
  if (text === undefined) return { promise, kept: false, detail: `there is no ${input.manifest}` };
  const lines = text.split("\n").length - 1;
  const distinct = new Set(text.split("\n")).size - 1;
  if (lines !== facts.files || distinct !== lines)
    return { promise, kept: false, detail: `${lines} lines, ${distinct} of them distinct, for ${facts.files} files` };
  const { code, output } = await sha256sumCheck(input);
  return {
    promise,
    kept: code === 0,
    detail: code === 0 ? `sha256sum -c agrees on ${facts.files} files` : `sha256sum -c says\n${output}`,
  };
}

async function sha256sumCheck({ dir, manifest }: ManifestInput): Promise<{ code: number | null; output: string }> {
  const child = spawn("sha256sum", ["--check", "--strict", "--quiet", manifest], {
    cwd: dir,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      if (output.length < 2000) output += text;
    });
  const ended = await Promise.race([once(child, "close"), once(child, "error")]);
  if (ended[0] instanceof Error) return { code: 127, output: `sha256sum could not be started: ${ended[0].message}` };
  return { code: ended[0] as number | null, output };
}

async function ledgerHolds(input: ManifestInput, facts: Facts, evidence: Evidence): Promise<Verdict> {
  const lines = parseLedger(await readFile(input.ledger, "utf8"));
  const killedRuns = evidence.kills.filter((kill) => kill.target === "workflow");
  const { executions, repeats, violations } = checkLedger(lines, facts.batches, input.lanes, killedRuns);
  return {
    promise: "only work in flight at a kill was repeated",
    kept: violations.length === 0,
    detail:
      violations.length === 0
        ? `${executions} executions of ${facts.batches} batches; ${repeats.length} repeated, all in flight when their process was killed`
        : violations.slice(0, 5).join("; "),
  };
}

async function nothingRunsAgain(input: ManifestInput, facts: Facts, { last, again }: Evidence): Promise<Verdict> {
  const promise = "a finished instance is not run again";
  const { executions } = checkLedger(parseLedger(await readFile(input.ledger, "utf8")), facts.batches, input.lanes, []);
  const same = outputOf(last.stdout) === outputOf(again.stdout) && outputOf(last.stdout) !== undefined;
  const kept = again.code === 0 && same;
  return {
    promise,
    kept,
    detail: kept
      ? `the same output, still ${executions} executions`
      : `exit ${again.code}, printed ${again.stdout.trim() || "nothing"}`,
  };
}

function outputOf(stdout: string): string | undefined {
  try {
    const { output } = JSON.parse(stdout) as { output?: unknown };
    return output === undefined ? undefined : JSON.stringify(output);
  } catch {
    return undefined;
  }
}
