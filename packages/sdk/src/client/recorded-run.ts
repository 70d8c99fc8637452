// What a replay needs of a history.

import type { BeginEntry, Entry, WorkflowEntry } from "../api/history.ts";
import { ConfigError } from "../errors.ts";
import { writeEnvelope } from "../run/envelope.ts";
import { runPrefix } from "../run/keys.ts";
import { nextIdOf, startId } from "../run/system-ids.ts";
import type { Sealer } from "../values/codec-port.ts";
import { storeValue } from "../values/index.ts";
import { createWrapper } from "../values/wrapper.ts";
import { entryOf } from "./entries.ts";
import { beginOf } from "./history.ts";
import { readHistoryFile } from "./history-file.ts";

/** The present run of an instance: what it began with, and its entries in the order of delivery. */
export interface RecordedRun {
  readonly workflow: string;
  readonly version: string | undefined;
  readonly instanceId: string;
  readonly tenantId: string;
  readonly run: number;
  readonly startedAtMs: number;
  readonly seed: string;
  readonly input: unknown;
  readonly inbox: readonly { readonly name: string; readonly value: unknown }[];
  readonly rows: readonly RecordedRow[];
}

export interface RecordedRow {
  readonly id: string;
  /** Undefined: no workflow wrote it. */
  readonly seq: number | undefined;
  /** The stored entry, its value in clear. */
  readonly text: string;
}

/** The entries of a history file, as `handle.history()` gives them. @throws ConfigError for the file; UnreadableValueError */
export async function* entriesOfFile(text: string, sealer: Sealer): AsyncGenerator<Entry> {
  const { head, input, items } = readHistoryFile(text);
  const { instanceId, tenantId, workflow, version, run, seed, startedAtMs } = head;
  const wrapper = createWrapper(sealer);
  const begin = { instanceId, tenantId, workflow, run, seed, startedAtMs };
  yield await beginOf(version === undefined ? begin : { ...begin, version }, input, wrapper);
  for (const item of items) yield await entryOf(item, { tenantId, instanceId, sealer, wrapper });
}

/** @throws ConfigError: it does not begin as a history does, or the beginning of its present run is missing */
export async function recordedRun(history: AsyncIterable<Entry>): Promise<RecordedRun> {
  let begin: (BeginEntry & { readonly at: Date }) | undefined;
  const rows: RecordedRow[] = [];
  const system = new Map<string, WorkflowEntry & { readonly at: Date }>();
  for await (const entry of history) {
    if (entry.kind === "begin") begin = entry;
    if (!begin) throw new ConfigError("a history begins with an entry of the kind begin");
    if (entry.kind === "start" || entry.kind === "next") system.set(entry.id, entry);
    else if ("seq" in entry || entry.kind === "checkpoint") addRow(rows, entry, begin.run);
  }
  if (!begin) throw new ConfigError("the history is empty");
  const { workflow, version, instanceId, tenantId, run, seed } = begin;
  rows.sort((a, b) => (a.seq ?? Number.POSITIVE_INFINITY) - (b.seq ?? Number.POSITIVE_INFINITY) || 0);
  return { workflow, version, instanceId, tenantId, run, seed, ...beginningOf(begin, system), rows };
}

function addRow(rows: RecordedRow[], entry: Exclude<Entry, { kind: "begin" }>, run: number): void {
  if (entry.kind === "checkpoint") {
    const text = new TextDecoder().decode(entry.state);
    if (isOfRun(entry.id, run)) rows.push({ id: entry.id, seq: undefined, text });
  } else if ("seq" in entry && isOfRun(entry.id, run)) {
    rows.push({ id: entry.id, seq: entry.seq, text: textOf(entry) });
  }
}

/** What the run was given: by the start, or by the run before it; a `!start` of its own says what the schema made of that. */
function beginningOf(
  begin: BeginEntry & { readonly at: Date },
  system: ReadonlyMap<string, WorkflowEntry & { readonly at: Date }>,
): Pick<RecordedRun, "startedAtMs" | "input" | "inbox"> {
  const { run } = begin;
  const start = system.get(`${runPrefix(run)}${startId}`);
  const changed = start && { input: (start.value as { input?: unknown }).input };
  if (run === 1) return { startedAtMs: begin.at.getTime(), input: begin.input, inbox: [], ...changed };
  const nextId = nextIdOf(run - 1);
  const next = system.get(nextId);
  if (!next) throw new ConfigError(`the history has no entry ${nextId}, with which run ${run} began`);
  const { input, inbox } = next.value as { input?: unknown; inbox: RecordedRun["inbox"] };
  return { startedAtMs: next.at.getTime(), input, inbox, ...changed };
}

function textOf(entry: WorkflowEntry & { readonly at: Date }): string {
  const { kind, seq, at, src, foreign, outcome } = entry;
  const value = entry[outcome];
  const origin = { root: outcome, describe: () => `entry ${entry.id} has` };
  const head = {
    seq,
    at: at.getTime(),
    kind,
    src: src === undefined ? undefined : JSON.stringify(src),
    foreign: foreign === true,
  };
  return writeEnvelope(head, outcome, value === undefined ? undefined : storeValue(value, origin));
}

/** Ids with `::` belong to others, such as the low-level SDK. */
function isOfRun(id: string, run: number): boolean {
  if (id.includes("::")) return false;
  const prefix = /^!(\d+)\./.exec(id)?.[1];
  return (prefix === undefined ? 1 : Number(prefix)) === run;
}
