import type { InstanceSession } from "../ports/source.ts";
import { codedOf, opened, readEnvelope, readSeq } from "../run/envelope.ts";
import type { Announced } from "../run/history.ts";
import { startId } from "../run/system-ids.ts";
import { after } from "../values/after.ts";
import type { CodecContext, Sealer } from "../values/codec-port.ts";
import type { Asker, Persistence } from "./persistence.ts";

/** An entry of a run as it was listed. */
export interface StoredRow {
  readonly id: string;
  /** Undefined: the state under this id was not written by a workflow. */
  readonly seq: number | undefined;
  /** Undefined: it is long, and fetched when it is delivered. */
  readonly state: Uint8Array | undefined;
}

interface StoredRows {
  /** In the order of delivery. */
  readonly rows: readonly StoredRow[];
  /** The run's `!start`, where its input had to be stored. */
  readonly start: StoredRow | undefined;
  readonly retries: ReadonlyMap<string, Announced>;
}

/** Reads rows of one instance, for as long as somebody wants them. */
export interface RowReader {
  readonly session: InstanceSession;
  readonly sealer: Sealer;
  readonly persistence: Persistence;
  readonly asker: Asker;
}

/** The entries of the run, and what was announced of retries. `behind`: of what was saved up to this checkpoint nothing is needed. */
export async function listRows(reader: RowReader, run: number, behind: string | undefined): Promise<StoredRows> {
  const { session, persistence, asker } = reader;
  const rows: StoredRow[] = [];
  const retries = new Map<string, Announced>();
  let start: StoredRow | undefined;
  let cursor: string | undefined;
  do {
    const page = await persistence.repeat(asker, () => session.list({ cursor, behind }));
    for (const { checkpointId: id, state } of page.checkpoints) {
      if (!isOfRun(id, run)) continue;
      const seq = seqOf(state ?? (await findState(reader, id)));
      const row = { id, seq, state };
      if (id.endsWith(startId)) start = row;
      else rows.push(row);
    }
    for (const { checkpointId, attempt, nextAtMs } of page.retries) {
      const earlier = retries.get(checkpointId);
      if (earlier === undefined || earlier.attempt < attempt)
        retries.set(checkpointId, { attempt, nextAtMs: nextAtMs ?? undefined });
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return { rows: inOrder(rows), start, retries };
}

/** The text of a row in clear. @throws UnreadableValueError; promises reject when nobody asks any more */
export function readRow(reader: RowReader, { id, state }: StoredRow): string | Promise<string> {
  if (state !== undefined) return openEntry(state, reader.sealer, contextOf(reader.session, id));
  return findState(reader, id).then((found) => openEntry(found, reader.sealer, contextOf(reader.session, id)));
}

/** The text of an entry, its value in clear. @throws UnreadableValueError: no such codec here, or it failed */
export function openEntry(state: Uint8Array, sealer: Sealer, at: CodecContext): string | Promise<string> {
  const text = utf8.decode(state);
  const coded = codedOf(text);
  return coded === undefined ? text : after(sealer.open(coded, at), (plain) => opened(text, plain));
}

/** Messages that are durable: the newest entry says how many went before it. */
export async function sentBefore(reader: RowReader, rows: readonly StoredRow[]): Promise<number> {
  const newest = rows.at(-1);
  if (newest?.seq === undefined) return 0;
  const state = newest.state ?? (await findState(reader, newest.id));
  return readEnvelope(utf8.decode(state)).out ?? 0;
}

export function contextOf(session: InstanceSession, id: string): CodecContext {
  const { tenantId, instanceId } = session.work;
  return { tenantId, instanceId, id };
}

async function findState({ session, persistence, asker }: RowReader, id: string): Promise<Uint8Array> {
  const state = await persistence.repeat(asker, () => session.find(id));
  if (state !== undefined) return state;
  throw new Error(`checkpoint ${id} of instance ${session.work.instanceId} was listed and is not there any more`);
}

function seqOf(state: Uint8Array): number | undefined {
  const head = Math.min(state.byteLength, headBytes);
  return readSeq(Buffer.from(state.buffer, state.byteOffset, head).toString("latin1"));
}

/** In the order of delivery; what no workflow wrote comes last, where it is found out. */
function inOrder(rows: StoredRow[]): StoredRow[] {
  const place = (row: StoredRow): number => row.seq ?? Number.POSITIVE_INFINITY;
  // They come in the order of their saving, which nearly always is the same.
  const isSorted = rows.every((row, index) => index === 0 || place(rows[index - 1] as StoredRow) <= place(row));
  return isSorted ? rows : rows.sort((a, b) => (place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : 0));
}

/** Ids with `::` belong to others: retry records, the low-level client. */
function isOfRun(id: string, run: number): boolean {
  if (id.includes("::")) return false;
  const prefix = /^!(\d+)\./.exec(id)?.[1];
  return (prefix === undefined ? 1 : Number(prefix)) === run;
}

/** The prefix that holds the place in the order. */
const headBytes = 64;
const utf8 = new TextDecoder();
