// The state of an entry: a JSON object with a fixed prefix, so that the order is read without parsing.
// {"$rt":1,"seq":17,"at":1763760000123,"src":"src/order.ts:12:30","value":{…}}

import { UnreadableValueError } from "../errors.ts";
import { parseJson, revive } from "../values/read.ts";

/** What made an entry. The members of later features join here. */
export type EntryKind = "step" | "sleep" | "cancel" | "start";

export interface EnvelopeHead {
  readonly seq: number;
  readonly at: number;
  readonly kind: EntryKind;
  /** JSON of the call site; undefined or `""` is left out. */
  readonly src?: string | undefined;
  /** This call, or one before it in the run, was made outside a durable turn. */
  readonly foreign?: boolean;
  /** The entry that was delivered last when this one was made, and how many had been. Where saves run in parallel and can't be listed,
   *  it tells a save that was lost from a call that has vanished from the code, and leads back through the history. */
  readonly after?: readonly [seq: number, count: number, id: string] | undefined;
}

/** The text of an entry. `outcome` is a member name and stored text; undefined for entries without a value. */
export function writeEnvelope(head: EnvelopeHead, outcome: "value" | "error", text: string | undefined): string {
  let envelope = `{"$rt":1,"seq":${head.seq},"at":${head.at}`;
  if (head.kind !== "step") envelope += `,"kind":"${head.kind}"`;
  if (head.src !== undefined && head.src !== '""') envelope += `,"src":${head.src}`;
  if (head.foreign) envelope += ',"f":1';
  // Ids need no escaping in JSON.
  if (head.after) envelope += `,"after":[${head.after[0]},${head.after[1]},"${head.after[2]}"]`;
  return text === undefined ? `${envelope}}` : `${envelope},"${outcome}":${text}}`;
}

const prefix = /^\{"\$rt":1,"seq":(\d{1,15}),"at":(\d{1,15})[,}]/;

/** The place of an entry in the order; undefined when the text is none of ours. */
export function readSeq(text: string): number | undefined {
  const match = prefix.exec(text);
  return match ? Number(match[1]) : undefined;
}

export interface Envelope extends EnvelopeHead {
  readonly src: string | undefined;
  readonly foreign: boolean;
  readonly outcome: "value" | "error";
  /** As parsed: {@link outcomeOf} turns it into a value. */
  readonly stored: unknown;
  readonly isTagged: boolean;
}

/** Parses an entry; its value is left as it is stored. @throws UnreadableValueError */
export function readEnvelope(text: string): Envelope {
  const members = parseJson(text) as Record<string, unknown>;
  if (readSeq(text) === undefined) throw new UnreadableValueError("the stored text is no entry of a workflow");
  const { after } = members;
  const outcome = Object.hasOwn(members, "error") ? "error" : "value";
  return {
    seq: members.seq as number,
    at: members.at as number,
    kind: (members.kind ?? "step") as EntryKind,
    src: typeof members.src === "string" ? members.src : undefined,
    foreign: members.f === 1,
    after: isAfter(after) ? after : undefined,
    outcome,
    stored: members[outcome],
    isTagged: text.includes('"$rt:'),
  };
}

/** The value or error of an entry; asked once, for it is made in place. @throws UnreadableValueError */
export function outcomeOf(envelope: Envelope): unknown {
  return envelope.isTagged ? revive(envelope.stored) : envelope.stored;
}

function isAfter(value: unknown): value is [number, number, string] {
  if (!Array.isArray(value) || value.length !== 3) return false;
  return typeof value[0] === "number" && typeof value[1] === "number" && typeof value[2] === "string";
}
