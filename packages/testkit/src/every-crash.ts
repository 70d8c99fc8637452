import type { AnyWorkflow, InputOf } from "@runtara/sdk/testing";
import { pairs, singles } from "./crash-plans.ts";
import { judgeAlone, judgePair } from "./judge.ts";
import { newSeed, randomOf } from "./random.ts";
import { placesOf, type Subject, tryOut } from "./trial.ts";
import type { EveryCrashOptions, Report } from "./types.ts";

/**
 * Runs the workflow once without a crash, then once more for each commit with a crash right before it and once with a crash right after it,
 * then with two crashes. Every run must end in the same way: status, output, error, published values and events of all its instances. In
 * each process an attempt of a step runs at most once, and never when its outcome has been stored.
 *
 * All runs have the same instance id, seed and start time, so `uuid()`, `random()` and `now()` are equal in all of them. The bodies really run:
 * `reset` puts back what they change outside. The default `drive` lets time pass; a workflow that waits for signals needs one that sends them.
 *
 * @throws AssertionError naming where it crashed, both results, and the seed to repeat it
 */
export async function everyCrash<W extends AnyWorkflow>(
  workflow: W,
  input: InputOf<W>,
  options: EveryCrashOptions<W> = {},
): Promise<Report> {
  const seed = options.seed ?? newSeed();
  const subject: Subject<W> = {
    ...options,
    what: `everyCrash: workflow ${JSON.stringify(workflow.name)}`,
    workflow,
    input,
    seed,
  };
  const first = await tryOut(subject);
  judgeAlone(subject, first);
  const boundaries = first.recorder.commits.length;
  const plans = singles(boundaries);
  if (options.pairs !== false) plans.push(...pairs(boundaries, randomOf(seed)));
  let crashes = 0;
  for (const plan of plans) {
    const trial = await tryOut(subject, { crashes: plan });
    crashes += trial.recorder.deaths.length;
    judgePair(subject, first, trial, placesOf(trial.recorder).trimStart());
  }
  return { runs: 1 + plans.length, crashes, boundaries, seed };
}
