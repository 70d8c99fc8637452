// The state of an entry: a JSON object with a fixed prefix, so that the order is read without parsing.
// {"$rt":1,"seq":17,"at":1763760000123,"src":"src/order.ts:12:30","value":{…}}

import { UnreadableValueError } from "../errors.ts";
import type { Sealed } from "../values/codec-port.ts";
import { parseJson, revive } from "../values/read.ts";
import type { EntryHead, EntryKind } from "./entries.ts";

/** The text of an entry. `payload`: stored text of its value or error, as it is or as a codec made it; undefined for entries without. */
export function writeEnvelope(
  head: EntryHead,
  outcome: "value" | "error",
  payload: string | Sealed | undefined,
): string {
  const begin = writeHead(head);
  if (payload === undefined) return `${begin}}`;
  if (typeof payload === "string") return `${begin},"${outcome}":${payload}}`;
  if (payload.is === "plain") return `${begin},"${outcome}":${payload.text}}`;
  const of = outcome === "error" ? ',"of":"error"' : "";
  return `${begin}${of},"enc":${JSON.stringify(payload.enc)},"data":"${payload.data}"}`;
}

function writeHead({ seq, at, kind, src, foreign, out, after }: EntryHead): string {
  let head = `{"$rt":1,"seq":${seq},"at":${at}`;
  if (kind !== "step") head += `,"kind":"${kind}"`;
  if (src !== undefined && src !== '""') head += `,"src":${src}`;
  if (foreign) head += ',"f":1';
  if (out) head += `,"out":${out}`;
  // Ids need no escaping in JSON.
  if (after) head += `,"after":[${after[0]},${after[1]},"${after[2]}"]`;
  return head;
}

const prefix = /^\{"\$rt":1,"seq":(\d{1,15}),"at":(\d{1,15})[,}]/;

/** The place of an entry in the order; undefined when the text is none of ours. Its first 64 characters are enough. */
export function readSeq(text: string): number | undefined {
  const match = prefix.exec(text);
  return match ? Number(match[1]) : undefined;
}

export interface Envelope extends EntryHead {
  readonly src: string | undefined;
  readonly foreign: boolean;
  readonly outcome: "value" | "error";
  /** As parsed: {@link outcomeOf} turns it into a value. */
  readonly stored: unknown;
  /** What a codec made of the value; {@link opened} puts it back. */
  readonly coded: Sealed | undefined;
  readonly isTagged: boolean;
}

/** Parses an entry; its value is left as it is stored. @throws UnreadableValueError */
export function readEnvelope(text: string): Envelope {
  const members = parseJson(text) as Record<string, unknown>;
  if (readSeq(text) === undefined) throw new UnreadableValueError("the stored text is no entry of a workflow");
  const { after, out, enc, data, of } = members;
  const isCoded = typeof enc === "string" && typeof data === "string";
  const outcome = Object.hasOwn(members, "error") || (isCoded && of === "error") ? "error" : "value";
  return {
    seq: members.seq as number,
    at: members.at as number,
    kind: (members.kind ?? "step") as EntryKind,
    src: typeof members.src === "string" ? members.src : undefined,
    foreign: members.f === 1,
    out: typeof out === "number" ? out : undefined,
    after: isAfter(after) ? after : undefined,
    outcome,
    stored: members[outcome],
    coded: isCoded ? { is: "coded", enc, data } : undefined,
    isTagged: text.includes('"$rt:'),
  };
}

/** The value or error of an entry; asked once, for it is made in place. @throws UnreadableValueError */
export function outcomeOf(envelope: Envelope): unknown {
  return envelope.isTagged ? revive(envelope.stored) : envelope.stored;
}

/** What has to be opened before an entry can be delivered; undefined for those in plain text. @throws UnreadableValueError */
export function codedOf(text: string): Sealed | undefined {
  // Only user values can hold these characters besides; then the parsed envelope tells.
  return text.includes('"enc":') ? readEnvelope(text).coded : undefined;
}

/** The entry with its value in plain text. */
export function opened(text: string, plain: string): string {
  const { seq, at, kind, src, foreign, out, after, outcome } = readEnvelope(text);
  const head = { seq, at, kind, src: src === undefined ? undefined : JSON.stringify(src), foreign, out, after };
  return writeEnvelope(head, outcome, plain);
}

function isAfter(value: unknown): value is [number, number, string] {
  if (!Array.isArray(value) || value.length !== 3) return false;
  return typeof value[0] === "number" && typeof value[1] === "number" && typeof value[2] === "string";
}
