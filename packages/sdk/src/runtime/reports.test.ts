import assert from "node:assert/strict";
import { test } from "node:test";
import { createSealer } from "../values/sealer.ts";
import { createWrapper } from "../values/wrapper.ts";
import { payloadReader } from "./payloads.ts";
import { errorText, readableText } from "./reports.ts";
import { bytes } from "./testing/setup.ts";

test("the text of an error, for those who read no values", () => {
  assert.equal(errorText(new TypeError("no")), "TypeError: no");
  assert.equal(errorText("thrown"), "thrown");
});

test("with codecs only the name of an error lies open", () => {
  assert.equal(readableText("TypeError: 4111 1111", true), "TypeError: 4111 1111");
  assert.equal(readableText("TypeError: 4111 1111", false), "TypeError");
  assert.equal(readableText("TypeError", false), "TypeError");
  for (const text of ["4111 1111", "my card is 4111", "", ": x"]) assert.equal(readableText(text, false), "Error");
});

const read = payloadReader(createWrapper(createSealer()), "t", "i");

test("payloads are the values that were sent, at once where no codec is in between", () => {
  assert.deepEqual(read("s", bytes('{"at":{"$rt:Date":"2026-01-02T00:00:00.000Z"}}')), {
    at: new Date("2026-01-02T00:00:00.000Z"),
  });
  const foreign = new Uint8Array([255, 0]);
  assert.deepEqual(read("s", foreign), foreign);
});

test("the end of a child comes with its output or its error as values", async () => {
  assert.deepEqual(await read("c!result", bytes('{"status":"completed","output":{"$rt:Set":[1]}}'), "i.c"), {
    status: "completed",
    output: new Set([1]),
    error: undefined,
    failure: undefined,
  });
  const failed =
    '{"status":"failed","error":"TypeError: no","failure":{"$rt:Error":{"name":"TypeError","message":"no"}}}';
  const end = (await read("c!result", bytes(failed), "i.c")) as { error: string; failure: Error };
  assert.equal(end.error, "TypeError: no");
  assert.ok(end.failure instanceof TypeError);
  const raw = await read("c!result", bytes('{"status":"completed","outputBase64":"/wA="}'), "i.c");
  assert.deepEqual((raw as { output: unknown }).output, new Uint8Array([255, 0]));
  await assert.rejects(async () => read("c!result", bytes("7"), "i.c"), { name: "UnreadableValueError" });
});
