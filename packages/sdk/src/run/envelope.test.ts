import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { UnreadableValueError } from "../errors.ts";
import { readValue } from "../values/index.ts";
import { writeValue } from "../values/write.ts";
import type { EntryHead, EntryKind } from "./entries.ts";
import { codedOf, opened, outcomeOf, readEnvelope, readSeq, writeEnvelope } from "./envelope.ts";

const kinds: readonly EntryKind[] = ["step", "sleep", "signal", "child", "cancel", "patch", "start", "next"];
const head: fc.Arbitrary<EntryHead> = fc.record({
  seq: fc.nat(),
  at: fc.nat(),
  kind: fc.constantFrom(...kinds),
  src: fc.option(
    fc.string().map((text) => JSON.stringify(text)),
    { nil: undefined },
  ),
  foreign: fc.boolean(),
  out: fc.option(fc.integer({ min: 1 }), { nil: undefined }),
  after: fc.option(fc.tuple(fc.nat(), fc.nat(), fc.stringMatching(/^[a-z.~!()*]*$/)), { nil: undefined }),
});
const value = fc.oneof(
  fc.jsonValue(),
  fc.date({ noInvalidDate: true }),
  fc.constant({ enc: "x", data: "y", of: "error" }),
);
const outcome = fc.constantFrom<"value" | "error">("value", "error");

test("an entry is read as it was written; its place is read from the beginning alone", () => {
  fc.assert(
    fc.property(head, outcome, value, (given, outcomeName, payload) => {
      const text = writeEnvelope(given, outcomeName, writeValue(payload));
      assert.equal(readSeq(text.slice(0, 64)), given.seq);
      const read = readEnvelope(text);
      assert.deepEqual(
        [read.seq, read.at, read.kind, read.foreign, read.out, read.outcome],
        [given.seq, given.at, given.kind, given.foreign, given.out, outcomeName],
      );
      assert.deepEqual(read.after, given.after);
      assert.equal(read.src ?? "", given.src === undefined ? "" : JSON.parse(given.src));
      assert.deepEqual(outcomeOf(read), readValue(writeValue(payload)));
      assert.equal(read.coded, undefined);
      assert.equal(codedOf(text), undefined, "what a user calls enc is none of a codec");
    }),
  );
});

test("what a codec made lies in its place; opened, the entry is as if there were none", () => {
  fc.assert(
    fc.property(head, outcome, value, (given, outcomeName, payload) => {
      const plain = writeValue(payload);
      const sealed = { is: "coded", enc: 'aes-256-gcm:"k2"', data: "c2VjcmV0" } as const;
      const text = writeEnvelope(given, outcomeName, sealed);
      assert.equal(readSeq(text), given.seq);
      assert.deepEqual(codedOf(text), sealed);
      assert.equal(readEnvelope(text).outcome, outcomeName);
      assert.equal(opened(text, plain), writeEnvelope(given, outcomeName, plain));
    }),
  );
  assert.equal(
    writeEnvelope({ seq: 1, at: 2, kind: "step" }, "value", { is: "plain", text: "5" }),
    '{"$rt":1,"seq":1,"at":2,"value":5}',
  );
  assert.equal(
    writeEnvelope({ seq: 1, at: 2, kind: "sleep" }, "value", undefined),
    '{"$rt":1,"seq":1,"at":2,"kind":"sleep"}',
  );
});

test("what no workflow wrote has no place, and is not read", () => {
  for (const text of [
    "",
    "whatever",
    "{}",
    '{"$rt":2,"seq":1,"at":2}',
    '{"seq":1,"$rt":1,"at":2}',
    '{"$rt":1,"seq":-1,"at":2}',
  ]) {
    assert.equal(readSeq(text), undefined);
    assert.throws(() => readEnvelope(text), UnreadableValueError);
  }
});
