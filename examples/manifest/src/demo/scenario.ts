// The demonstration: run the workflow, kill it three times and the core once, and let it end.
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type { ManifestInput } from "../workflow.ts";
import { type PlannedKill, planKills } from "./plan.ts";
import { type Core, type Ended, startCore, startWorkflow, type WorkflowRun } from "./processes.ts";
import { LedgerTail } from "./progress.ts";
import type { Screen } from "./screen.ts";

export interface Milestone {
  /** Since the start of the demonstration. */
  atMs: number;
  what: string;
  detail: string;
}

export interface Verdict {
  promise: string;
  kept: boolean;
  detail: string;
}

export interface Outcome {
  seed: number;
  instance: string;
  files: number;
  bytes: number;
  steps: number;
  durationMs: number;
  timeline: Milestone[];
  promises: Verdict[];
}

/** What happened, before it is judged. */
export interface Evidence {
  timeline: Milestone[];
  kills: { target: PlannedKill["target"]; pid: number; afterBatches: number }[];
  planned: PlannedKill[];
  /** How the last workflow process ended and what it printed. */
  last: Ended & { stdout: string; stderr: string };
  /** Another run with the same id after the end: must print the same and execute nothing. */
  again: Ended & { stdout: string };
  durationMs: number;
}

const lookEveryMs = 4;
const drawEveryMs = 100;
const restartTimeoutMs = 60_000;

export async function play(
  seed: number,
  instance: string,
  input: ManifestInput,
  batches: number,
  database: string,
  screen: Screen,
): Promise<Evidence> {
  const started = performance.now();
  const timeline: Milestone[] = [];
  const mark = (what: string, detail: string) => {
    const milestone = { atMs: performance.now() - started, what, detail };
    timeline.push(milestone);
    screen.milestone(milestone);
  };

  using ledger = new LedgerTail(input.ledger);
  const planned = planKills(seed, batches);
  const kills: Evidence["kills"] = [];
  let core: Core = await startCore(database, 0);
  mark("core started", `pid ${core.pid}, ${core.address}`);
  const port = Number(core.address.slice(core.address.lastIndexOf(":") + 1));

  const run = (word: string): WorkflowRun => {
    const workflow: WorkflowRun = startWorkflow(core.address, instance, input, (event) => {
      if (event.type === "live" && event.replayed !== 0)
        mark("workflow resumed", `pid ${workflow.pid}, ${event.replayed} results were kept`);
      if (event.type === "reconnected") mark("workflow reconnected", `pid ${workflow.pid} had gone on living`);
    });
    mark(word, `pid ${workflow.pid}`);
    return workflow;
  };

  let workflow = run("workflow started");
  try {
    const ended = { now: false };
    const follow = (process: WorkflowRun) => void process.ended.then(() => (ended.now ||= process === workflow));
    follow(workflow);
    const rate = meter();
    let drawn = 0;
    while (!ended.now) {
      ledger.look();
      if (performance.now() - drawn > drawEveryMs) {
        drawn = performance.now();
        screen.progress({
          done: ledger.done.size,
          total: batches,
          stepsPerSecond: rate(ledger.done.size),
          kills: kills.length,
        });
      }
      const next = planned[kills.length];
      if (next && ledger.done.size >= next.afterBatches) {
        await delay(next.delayMs);
        const victim = next.target === "core" ? core : workflow;
        victim.kill();
        const { signal } = await victim.ended;
        ledger.look();
        if (signal !== "SIGKILL") break;
        kills.push({ target: next.target, pid: victim.pid, afterBatches: ledger.done.size });
        mark(`SIGKILL ${next.target}`, `pid ${victim.pid}, ${ledger.done.size} of ${batches} batches hashed`);
        if (next.target === "core") {
          core = await startCore(database, port);
          mark("core started again", `pid ${core.pid}`);
        } else {
          workflow = run("workflow started again");
          ended.now = false;
          follow(workflow);
        }
      }
      await delay(lookEveryMs);
    }
    const end = await workflow.ended;
    ledger.look();
    screen.progress({
      done: ledger.done.size,
      total: batches,
      stepsPerSecond: rate(ledger.done.size),
      kills: kills.length,
    });
    mark("workflow ended", end.signal ?? `exit ${end.code}`);
    const durationMs = performance.now() - started;

    const repeat = startWorkflow(core.address, instance, input, () => {});
    const again = { ...(await withDeadline(repeat)), stdout: repeat.stdout() };
    return {
      timeline,
      kills,
      planned,
      last: { ...end, stdout: workflow.stdout(), stderr: workflow.stderr() },
      again,
      durationMs,
    };
  } finally {
    workflow.kill();
    core.kill();
    await Promise.all([workflow.ended, core.ended]);
  }
}

async function withDeadline(run: WorkflowRun): Promise<Ended> {
  const timer = setTimeout(() => run.kill(), restartTimeoutMs);
  try {
    return await run.ended;
  } finally {
    clearTimeout(timer);
  }
}

/** Steps a second over the last second or so. */
function meter(): (done: number) => number {
  const seen: { atMs: number; done: number }[] = [];
  return (done) => {
    const atMs = performance.now();
    seen.push({ atMs, done });
    while (seen.length > 2 && (seen[0]?.atMs ?? 0) < atMs - 1000) seen.shift();
    const first = seen[0] ?? { atMs, done };
    return atMs === first.atMs ? 0 : (1000 * (done - first.done)) / (atMs - first.atMs);
  };
}
