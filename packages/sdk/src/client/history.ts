import type { BeginEntry, Entry } from "../api/history.ts";
import { NotFoundError } from "../errors.ts";
import type { Details, HistoryItem, Operator, StartRecord } from "../ports/operator.ts";
import type { Wrapper } from "../values/codec-port.ts";
import type { Calls } from "./calls.ts";
import { type EntryReader, entryOf } from "./entries.ts";
import { pagesOf } from "./pages.ts";

/** Where a history is read, and what repeats the calls. */
export interface HistoryParts extends Omit<EntryReader, "instanceId"> {
  readonly operator: Operator;
  readonly calls: Calls;
}

/** Everything an instance has left behind, decoded, oldest first; read page by page. @throws NotFoundError, UnreadableValueError, UnsupportedError */
export async function* readHistory(parts: HistoryParts, instanceId: string, what: string): AsyncGenerator<Entry> {
  const { details, start } = await readBeginning(parts, instanceId, what);
  const { workflow, version, run } = details;
  const { tenantId, seed, firstStartedAtMs: startedAtMs } = start;
  const begin = { instanceId, tenantId, workflow: workflow ?? "", run, seed: hexOf(seed), startedAtMs };
  yield await beginOf(version === null ? begin : { ...begin, version }, start.input, parts.wrapper);
  for await (const item of historyItems(parts, instanceId, what)) yield await entryOf(item, { ...parts, instanceId });
}

/** What a replay begins with. @throws NotFoundError */
export async function readBeginning(
  { operator, calls }: Pick<HistoryParts, "operator" | "calls">,
  instanceId: string,
  what: string,
): Promise<{ readonly details: Details; readonly start: StartRecord }> {
  const details = await calls.once(what, () => operator.read(instanceId));
  const start = details && (await calls.once(what, () => operator.readStart(instanceId)));
  if (!start) throw new NotFoundError(`there is no instance ${instanceId}`);
  return { details, start };
}

/** All pages as one list, with the states that were too long to be listed. */
export async function* historyItems(
  { operator, calls }: Pick<HistoryParts, "operator" | "calls">,
  instanceId: string,
  what: string,
): AsyncGenerator<HistoryItem> {
  for await (const item of pagesOf((cursor) => calls.once(what, () => operator.history(instanceId, cursor)))) {
    if (item.kind !== "checkpoint" || item.state !== undefined) {
      yield item;
      continue;
    }
    const state = await calls.once(what, () => operator.loadState(instanceId, item.checkpointId));
    yield { ...item, state };
  }
}

/** The first entry. @throws UnreadableValueError */
export async function beginOf(
  begin: Omit<BeginEntry, "kind" | "input"> & { readonly startedAtMs: number },
  input: Uint8Array | null | undefined,
  wrapper: Wrapper,
): Promise<Entry> {
  const { startedAtMs, ...facts } = begin;
  const { tenantId, instanceId } = facts;
  return {
    at: new Date(startedAtMs),
    kind: "begin",
    ...facts,
    input: await wrapper.unwrap(input, { tenantId, instanceId, id: "!input" }),
  };
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
