import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Notice } from "@runtara/store";
import fc from "fast-check";
import { decodeNotices, encodeNotices } from "./wire.ts";

const text = fc.string({ unit: "grapheme", maxLength: 40 });
const timeMs = fc.integer({ min: 0 });
const notice: fc.Arbitrary<Notice> = fc.oneof(
  fc
    .tuple(text, text, timeMs)
    .map(([tenantId, workflow, readyAtMs]): Notice => ({ topic: "work", tenantId, workflow, readyAtMs })),
  text.map((instanceId): Notice => ({ topic: "signal", instanceId })),
  fc.tuple(text, fc.boolean()).map(([instanceId, ended]): Notice => ({ topic: "instance", instanceId, ended })),
  timeMs.map((atMs): Notice => ({ topic: "due", atMs })),
  timeMs.map((atMs): Notice => ({ topic: "schedule", atMs })),
);

describe("notices between processes", () => {
  test("arrive as they were, in payloads that PostgreSQL takes", () => {
    const property = fc.property(fc.array(notice, { maxLength: 300 }), (notices) => {
      const payloads = encodeNotices("a", notices);
      for (const payload of payloads) assert.ok(Buffer.byteLength(payload) < 8_000);
      assert.deepEqual(
        payloads.flatMap((payload) => decodeNotices("b", payload)),
        notices,
      );
      assert.deepEqual(
        payloads.flatMap((payload) => decodeNotices("a", payload)),
        [],
      );
    });
    fc.assert(property);
  });

  test("too many, or one that is too long, become: look after everything", () => {
    const many = Array.from({ length: 10_000 }, (_, index): Notice => ({ topic: "signal", instanceId: `i${index}` }));
    const long: Notice = { topic: "signal", instanceId: "x".repeat(9_000) };
    for (const notices of [many, [long]]) {
      const [payload = "", ...others] = encodeNotices("a", notices);
      assert.deepEqual(others, []);
      assert.deepEqual(decodeNotices("b", payload), [{ topic: "anything" }]);
    }
  });

  test("a payload that cannot be read may mean anything", () => {
    for (const payload of ["", "null", "[]", '{"from":"a","notices":[{"topic":"work"}]}', '{"from":"a","notices":1}']) {
      assert.deepEqual(decodeNotices("b", payload), [{ topic: "anything" }]);
    }
  });
});
