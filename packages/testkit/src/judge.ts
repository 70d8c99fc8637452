import { AssertionError } from "node:assert";
import type { Execution, Recorder } from "./recorder.ts";
import { placesOf, type Trial } from "./trial.ts";
import { differenceOf } from "./world.ts";

export interface Case {
  readonly what: string;
  readonly seed: number;
  readonly allowAbandoned?: boolean;
}

/** What must be true of every run by itself. @throws AssertionError */
export function judgeAlone({ what, seed, allowAbandoned = false }: Case, { recorder, world }: Trial): void {
  const { abandoned } = recorder;
  // A call at a place where none can be made is a mistake of the code, however well it repeats.
  const misuse = world.seen.map(({ end }) => /^failed, (ContextError: .*)$/s.exec(end)?.[1]).find((text) => text);
  if (misuse !== undefined) {
    throw failure(`${what} failed${placesOf(recorder)}: ${misuse}`, recorder, seed, { actual: misuse, expected: "" });
  }
  if (abandoned.length > 0 && !allowAbandoned) {
    throw failure(
      `${what} ended${placesOf(recorder)} while a step was still running: ${[...new Set(abandoned)].join(", ")}. Is an await missing? What it does may or may not happen. If that is meant, say so: { allowAbandoned: true }.`,
      recorder,
      seed,
      { actual: abandoned, expected: [] },
    );
  }
  const twice = repeatedIn(recorder.executions);
  if (twice !== undefined) {
    throw failure(
      `${what}: the body of ${twice.id} ran ${twice.isRepeated ? "again after its outcome had been stored" : `twice as attempt ${twice.attempt}`}${placesOf(recorder)}.`,
      recorder,
      seed,
      { actual: 2, expected: 1 },
    );
  }
}

/** What must be true of a run beside the one that nothing disturbed. @throws AssertionError */
export function judgePair(subject: Case, expected: Trial, actual: Trial, how: string): void {
  judgeAlone(subject, actual);
  const difference = differenceOf(expected.world, actual.world);
  if (difference === undefined) return;
  throw failure(
    [
      `${subject.what} ended differently ${how}.`,
      `  expected: ${difference.expected}`,
      `  got:      ${difference.actual}`,
      "  Something in it lives outside of steps (a variable that a body changes, an effect that may not happen twice), or depends on the order of events.",
    ].join("\n"),
    actual.recorder,
    subject.seed,
    { actual: difference.actual, expected: difference.expected },
  );
}

function failure(
  text: string,
  { warnings }: Recorder,
  seed: number,
  values: { actual: unknown; expected: unknown },
): AssertionError {
  const lines = [
    text,
    ...new Set(warnings.map((warning) => `  warning: ${warning}`)),
    `  Repeat it with { seed: ${seed} }.`,
  ];
  return new AssertionError({ message: lines.join("\n"), operator: "everyCrash", ...values });
}

/** In one life an attempt runs once; and nothing runs whose outcome has been acknowledged. */
function repeatedIn(executions: readonly Execution[]): Execution | undefined {
  const known = new Set<string>();
  return executions.find(({ life, instanceId, id, attempt, isRepeated }) => {
    const key = `${life} ${instanceId} ${id} ${attempt}`;
    const isKnown = known.has(key);
    known.add(key);
    return isKnown || isRepeated;
  });
}
