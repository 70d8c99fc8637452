import type { Entry } from "../api/history.ts";
import type { HistoryItem } from "../ports/operator.ts";
import { opened, outcomeOf, readEnvelope, readSeq } from "../run/envelope.ts";
import { nameOfId } from "../run/keys.ts";
import { isEndOfChild } from "../run/operations/child-end.ts";
import type { CodecContext, Sealer, Wrapper } from "../values/codec-port.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whose history it is, and what opens its values. */
export interface EntryReader {
  readonly tenantId: string;
  readonly instanceId: string;
  readonly sealer: Sealer;
  readonly wrapper: Wrapper;
}

/** One thing of a history, decoded. @throws UnreadableValueError */
export async function entryOf(item: HistoryItem, reader: EntryReader): Promise<Entry> {
  const at = new Date(item.atMs);
  switch (item.kind) {
    case "checkpoint":
      return checkpointOf(item, reader);
    case "event": {
      const { type, subtype, payload } = item;
      const value = await payloadOf(payload, placeOf(reader, eventId(type, subtype)), reader);
      return {
        at,
        kind: "event",
        type,
        ...(subtype === null ? {} : { subtype }),
        ...(value === undefined ? {} : { payload: value }),
      };
    }
    case "retry": {
      const { checkpointId: id, attempt, nextAtMs, error } = item;
      const next = nextAtMs === null ? {} : { nextAt: new Date(nextAtMs) };
      return { at, kind: "retry", id, attempt, ...next, ...(error === null ? {} : { error }) };
    }
    case "signal": {
      const { type, delivered } = item;
      const value = await sentPayload(item, reader);
      const payload = value === undefined ? {} : { payload: value };
      return { at, kind: "sent", name: item.name ?? type ?? "", ...payload, delivered };
    }
  }
}

async function checkpointOf(
  { atMs, checkpointId: id, state }: Extract<HistoryItem, { kind: "checkpoint" }>,
  reader: EntryReader,
): Promise<Entry> {
  const text = textOf(state);
  if (text === undefined || readSeq(text) === undefined) return { at: new Date(atMs), kind: "checkpoint", id, state };
  let envelope = readEnvelope(text);
  if (envelope.coded) {
    envelope = readEnvelope(opened(text, await reader.sealer.open(envelope.coded, placeOf(reader, id))));
  }
  const { kind, seq, at, src, foreign, outcome } = envelope;
  const value = outcomeOf(envelope);
  return {
    at: new Date(at),
    kind,
    id,
    name: nameOfId(id),
    seq,
    ...(src === undefined ? {} : { src }),
    ...(foreign ? { foreign } : {}),
    outcome,
    ...(value === undefined ? {} : { [outcome]: value }),
  };
}

/** An end is told with what it gave: bound to where that is. */
function eventId(type: string, subtype: string | null): string {
  if (type === "completed") return "!output";
  return type === "failed" ? "!failure" : `!event:${subtype ?? ""}`;
}

async function sentPayload(
  { name, payload }: Extract<HistoryItem, { kind: "signal" }>,
  reader: EntryReader,
): Promise<unknown> {
  // A result of a child is told in words of the store; the entry of it has the value.
  if (name !== null) {
    return isEndOfChild(name) ? undefined : reader.wrapper.unwrap(payload, placeOf(reader, `!signal:${name}`));
  }
  // A cancel brings its reason: no value, but text.
  return payload && payload.byteLength > 0 ? (textOf(payload) ?? payload) : undefined;
}

/** The value of a payload; text that is no JSON (of a failure, of a Rust program) is that text. */
async function payloadOf(
  payload: Uint8Array | null | undefined,
  at: CodecContext,
  { wrapper }: EntryReader,
): Promise<unknown> {
  const value = await wrapper.unwrap(payload, at);
  return value === payload && payload instanceof Uint8Array ? (textOf(payload) ?? payload) : value;
}

function placeOf({ tenantId, instanceId }: EntryReader, id: string): CodecContext {
  return { tenantId, instanceId, id };
}

function textOf(state: Uint8Array | undefined): string | undefined {
  if (state === undefined) return undefined;
  try {
    return decoder.decode(state);
  } catch {
    return undefined;
  }
}
