import { type AnyWorkflow, type Entry, type ReplayVerdict, replayHistory } from "@runtara/sdk/testing";

/**
 * Runs a workflow's code against what an instance has done: does it still fit? No body runs. `history` is the text of a file that
 * `npx runtara export` wrote, or `handle.history()`. What the code does behind the last entry is not looked at.
 *
 * @returns how many entries were delivered; or the NonDeterminismError, which names both sides
 * @throws ConfigError: it is no history, or one of another workflow
 */
export async function replay(workflow: AnyWorkflow, history: AsyncIterable<Entry> | string): Promise<ReplayVerdict> {
  return replayHistory(workflow, history);
}
