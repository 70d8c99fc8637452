import type { CoreError } from "../core-error.ts";
import { limits } from "../limits.ts";
import { invalidCount, invalidId } from "../validation.ts";

/** What is wrong with the names of signals that an instance waits for; undefined = nothing. */
export function invalidNames(names: readonly string[]): CoreError | undefined {
  const tooMany = invalidCount("signal_names", names.length, limits.namesPerInterestMax);
  if (tooMany !== undefined) return tooMany;
  for (const name of names) {
    const invalid = invalidId("signal_names", name);
    if (invalid !== undefined) return invalid;
  }
  return undefined;
}
