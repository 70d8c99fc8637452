import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { fromBinary } from "@bufbuild/protobuf";
import { ProtocolError } from "../src/errors.ts";
import { decodeMessage } from "../src/wire/decode.ts";

/**
 * Where this package's decoder refuses what Protobuf-ES accepts, by its error's text. All of it is malformed or
 * unreasonable; the library reads on past such bytes.
 */
const stricter: readonly (readonly [text: RegExp, reason: string])[] = [
  [/wire type \d instead of \d/, "a known field with another wire type is not that field"],
  [/: cut off$|length \d+, but only \d+ bytes are left/, "nothing may leave the message around it"],
  [/varint over 64 bits/, "a varint has 64 bits; the library drops what is above them"],
  [/wire type \d in a map entry/, "a map's key and value are texts"],
  [/more than \d+ nested messages/, "what a payload may become in memory has a bound"],
];

/** Where it accepts what Protobuf-ES refuses, by the library's error. */
const looser: readonly (readonly [text: RegExp, reason: string])[] = [
  [/illegal tag: varint overflows uint32/, "a varint need not be minimal, so five bytes are not a tag's limit"],
  [/maximum recursion depth reached/, "the same depth of 100, but not counting the outermost message"],
];

/** What became of an input: both the same, or the reason why not. */
export type Outcome = "accepted" | "refused" | string;

/** @throws AssertionError where the two differ without a listed reason. */
export function difference(schema: DescMessage, input: Uint8Array): Outcome {
  const bytes = Uint8Array.from(input);
  const ours = attempt(() => decodeMessage(schema, bytes));
  const theirs = attempt(() => fromBinary(schema, bytes, { readUnknownFields: false }));
  if (ours.error === undefined && theirs.error === undefined) {
    assert.ok(isDeepStrictEqual(ours.message, theirs.message), "both accept it, but as different messages");
    return "accepted";
  }
  if (ours.error === undefined) return reasonOf(looser, String(theirs.error), "only Protobuf-ES refuses it");
  assert.ok(ours.error instanceof ProtocolError && ours.error.code === "DECODE_FAILED", String(ours.error));
  if (theirs.error !== undefined) return "refused";
  return reasonOf(stricter, ours.error.message, "only this package refuses it");
}

function reasonOf(list: typeof stricter, text: string, what: string): string {
  const known = list.find(([pattern]) => pattern.test(text));
  assert.ok(known, `${what}: ${text}`);
  return known[1];
}

function attempt(decode: () => Message): { readonly message?: Message; readonly error?: unknown } {
  try {
    return { message: decode() };
  } catch (error) {
    return { error };
  }
}
