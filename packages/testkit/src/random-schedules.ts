import type { AnyWorkflow, InputOf } from "@runtara/sdk/testing";
import { judgeAlone, judgePair } from "./judge.ts";
import { limits } from "./limits.ts";
import { newSeed } from "./random.ts";
import { type Subject, tryOut } from "./trial.ts";
import type { RandomSchedulesOptions, Report } from "./types.ts";

/**
 * Runs the workflow again and again, with bodies and answers of the store ending in another order each time. Every run must end as the first
 * one did. A race that any side may win is a difference: it is found here.
 *
 * @throws AssertionError naming both results, and the seed to repeat the whole
 */
export async function randomSchedules<W extends AnyWorkflow>(
  workflow: W,
  input: InputOf<W>,
  options: RandomSchedulesOptions<W> = {},
): Promise<Report> {
  const seed = options.seed ?? newSeed();
  const what = `randomSchedules: workflow ${JSON.stringify(workflow.name)}`;
  const subject: Subject<W> = { ...options, what, workflow, input, seed };
  const runs = options.runs ?? limits.scheduleRuns;
  const first = await tryOut(subject);
  judgeAlone(subject, first);
  for (let run = 1; run < runs; run++) {
    const trial = await tryOut(subject, { shuffleSeed: seed + run });
    judgePair(subject, first, trial, `in schedule ${run} of ${runs}`);
  }
  return { runs, crashes: 0, boundaries: first.recorder.commits.length, seed };
}
