import { decodeFrame, decodeMessage, instance, toJson } from "@runtara/protocol";
import type { RecordedCall } from "./conversation.ts";
import type { Played } from "./player.ts";

/** An answer in a form that can be written down: a kind without bytes, or the decoded message with the field names of the proto. */
export type ReadableAnswer = Json;
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** Any text; for what changes from run to run. */
export const anyText = "*";

/** What the original answered, with volatile and driver-made texts replaced. */
export function recordedAnswer({ response, volatile = [], driver_text = [] }: RecordedCall): ReadableAnswer {
  if (response.kind !== "frame") return response.kind;
  if (response.hex === undefined) return { bytes: response.length ?? 0, head: response.hex_head ?? "" };
  const answer = readFrame(Buffer.from(response.hex, "hex"));
  return blurred(answer, volatile, driver_text);
}

/** What we answered, in the same form. */
export function playedAnswer(
  { response, volatile = [], driver_text = [] }: RecordedCall,
  played: Played,
): ReadableAnswer {
  if (played.kind !== "frame") return played.kind;
  if (response.kind === "frame" && response.hex === undefined) {
    const head = response.hex_head ?? "";
    return { bytes: played.bytes.length, head: played.bytes.subarray(0, head.length / 2).toString("hex") };
  }
  return blurred(readFrame(played.bytes), volatile, driver_text);
}

/** Exactly one frame of type 2. */
function readFrame(bytes: Buffer): ReadableAnswer {
  const { type, payload } = decodeFrame(bytes);
  if (type !== 2 || bytes.length !== payload.length + 6) return { type, trailing: bytes.length - payload.length - 6 };
  const message = decodeMessage(instance.RpcResponseSchema, payload);
  const json = toJson(instance.RpcResponseSchema, message, { useProtoFieldName: true }) as Json;
  return asOldPeersSee(instance.RpcResponseSchema, json);
}

type Schema = Parameters<typeof toJson>[0];
const extensionsFrom = 100;

/** Without our extensions (field numbers from 100 on), which 1.4.1 peers skip. */
function asOldPeersSee(schema: Schema, value: Json): Json {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  const members = { ...(value as { readonly [name: string]: Json }) };
  for (const field of schema.fields) {
    const member = members[field.name];
    if (member === undefined) continue;
    if (field.number >= extensionsFrom) delete members[field.name];
    else if (field.fieldKind === "message") members[field.name] = asOldPeersSee(field.message, member);
  }
  return members;
}

function blurred(answer: Json, volatile: readonly string[], driverText: readonly string[]): Json {
  const hidden = volatile.reduce((value, path) => replaced(value, path.split("."), () => anyText), answer);
  return driverText.reduce((value, path) => replaced(value, path.split("."), beforeDriverText), hidden);
}

function beforeDriverText(text: Json): Json {
  return String(text).split("error returned from database:")[0] ?? "";
}

function replaced(value: Json, [name, ...rest]: readonly string[], change: (value: Json) => Json): Json {
  if (name === undefined) return change(value);
  if (value === null || typeof value !== "object" || !(name in value)) return value;
  const members = value as { readonly [name: string]: Json };
  return { ...members, [name]: replaced(members[name] ?? null, rest, change) };
}

/** Whether an answer is the expected one; `anyText` stands for any text. */
export function matches(answer: Json, expected: Json): boolean {
  if (expected === anyText) return typeof answer === "string";
  if (answer === null || expected === null || typeof answer !== "object" || typeof expected !== "object")
    return answer === expected;
  const one = Object.entries(answer);
  const other = expected as { readonly [name: string]: Json };
  return (
    one.length === Object.keys(other).length &&
    one.every(([name, value]) => name in other && matches(value, other[name] ?? null))
  );
}
