import type { StoredEntry } from "./entries.ts";
import { type Envelope, readEnvelope } from "./envelope.ts";
import type { History, Replay } from "./history.ts";
import type { OperationLike, RunFacts } from "./host.ts";
import { nameOfId } from "./keys.ts";
import type { DivergenceReport } from "./report.ts";

/** Where a replay stands when its code and its history differ. */
export interface Divergence {
  readonly facts: RunFacts;
  readonly history: History;
  readonly replay: Replay;
  /** The entry that does not fit. */
  readonly entry: StoredEntry;
  readonly note: string;
  /** Places of the entries delivered so far. */
  readonly delivered: readonly number[];
  /** Calls without an answer, in call order. */
  readonly pending: ReadonlyMap<string, OperationLike>;
  /** Ids called in the last turn. */
  readonly lastCalled: readonly string[];
  readonly hasEnded: boolean;
}

/** Both sides of it. Rejects when the history can't be asked any more. */
export async function diagnose(divergence: Divergence): Promise<DivergenceReport> {
  const { facts, entry, note, delivered } = divergence;
  const missing = await firstMissing(divergence);
  const head = missing.seq === undefined ? undefined : tryReadEnvelope(missing.text);
  return {
    workflow: facts.workflow,
    instanceId: facts.instanceId,
    entry: delivered.length + 1,
    entries: entriesKnown(divergence),
    history: {
      checkpointId: missing.id,
      kind: head?.kind ?? "foreign",
      name: nameOfId(missing.id),
      ...(head?.src ? { src: head.src } : {}),
      ...(head ? { savedAt: `${new Date(head.at).toISOString().slice(0, 19)}Z` } : {}),
    },
    code: codeSide(divergence),
    ...(note !== "" && missing === entry ? { note } : {}),
  };
}

/** How many of the delivered entries have at most this seq. */
export function countUpTo(delivered: readonly number[], seq: number): number {
  let count = delivered.length;
  while (count > 0 && (delivered[count - 1] ?? 0) > seq) count--;
  return count;
}

/** Follows the entries back, from the one that does not fit to the earliest that the replay has not met. */
async function firstMissing({ entry, delivered, history }: Divergence): Promise<StoredEntry> {
  const met = new Set(delivered);
  let missing = entry;
  for (let cursor: StoredEntry | undefined = entry; cursor; ) {
    if (cursor.seq !== undefined && !met.has(cursor.seq)) missing = cursor;
    const after = afterOf(cursor);
    if (!after || countUpTo(delivered, after[0]) === after[1]) break;
    cursor = await history.find(after[2]);
  }
  return missing;
}

function entriesKnown({ replay, entry, delivered }: Divergence): number {
  return replay.count ?? Math.max(delivered.length, afterOf(entry)?.[1] ?? 0) + 1;
}

/** The call that the code made in the place of the recorded one: among those of the last turn the first without an entry, for what was called
 *  before may well be waiting still. */
function codeSide({ hasEnded, pending, lastCalled, replay }: Divergence): DivergenceReport["code"] {
  if (hasEnded) return { does: "ended" };
  const calls = lastCalled.flatMap((id) => pending.get(id) ?? []);
  const isNew = ({ id }: OperationLike): boolean => !replay.has(id);
  const others = [...pending.values()].filter(isNew);
  const call = calls.find(isNew) ?? calls[0] ?? others.find(({ isWait }) => !isWait) ?? others[0];
  if (!call) return { does: "waits" };
  const { id, kind, name, source } = call;
  return { does: "calls", checkpointId: id, kind, name, src: source.text };
}

function afterOf({ seq, text }: StoredEntry): Envelope["after"] {
  return seq === undefined ? undefined : tryReadEnvelope(text)?.after;
}

function tryReadEnvelope(text: string): Envelope | undefined {
  try {
    return readEnvelope(text);
  } catch {
    return undefined;
  }
}
