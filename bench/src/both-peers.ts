import { type Ground, startCore } from "./peers.ts";
import type { Contestants } from "./side-by-side.ts";

/** Our core and the original's, each on a new database, so that the rows of one course don't slow the next. */
export function bothCores(ground: Ground): (running: AsyncDisposableStack) => Promise<Contestants> {
  return async (running) => [
    { name: "ours", server: running.use(await startCore(ground, "ours")) },
    { name: "original", server: running.use(await startCore(ground, "original")) },
  ];
}
