import { sqlState } from "./connections/errors.ts";

/** Deadlock, serialization failure, and a row that somebody else inserted first: nothing was changed, and the next try sees what there is. */
const repeatableStates: ReadonlySet<string | undefined> = new Set(["40P01", "40001", "23505"]);
const triesMax = 3;

/** Runs a transaction again where another one has made it fail. Rejects with the last failure. */
export async function repeated<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await run();
    } catch (error) {
      if (tries === triesMax || !repeatableStates.has(sqlState(error))) throw error;
    }
  }
}
