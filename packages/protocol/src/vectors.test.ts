import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { JsonValue } from "@bufbuild/protobuf";
import { fromJson, toJson } from "@bufbuild/protobuf";
import { decodeFrame, encodeFrame } from "./frames.ts";
import { schemaNamed } from "./testing/messages.ts";
import { decodeMessage } from "./wire/decode.ts";
import { encodeMessage } from "./wire/encode.ts";

interface Vector {
  name: string;
  message: string;
  json: JsonValue;
  hex: string;
  frame_type: number;
  frame_hex: string;
}

const vectors = JSON.parse(
  readFileSync(new URL("../testdata/vectors.json", import.meta.url), "utf8"),
) as readonly Vector[];

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("there are 392 golden encodings", () => {
  assert.equal(vectors.length, 392);
});

for (const vector of vectors) {
  test(`golden encoding ${vector.message} ${vector.name}`, () => {
    const schema = schemaNamed(vector.message);
    const payload = encodeMessage(schema, fromJson(schema, vector.json));
    assert.equal(hexOf(payload), vector.hex);
    assert.equal(hexOf(encodeFrame(vector.frame_type, payload)), vector.frame_hex);

    const frame = decodeFrame(Buffer.from(vector.frame_hex, "hex"));
    assert.equal(frame.type, vector.frame_type);
    assert.equal(hexOf(frame.payload), vector.hex);
    for (const bytes of [frame.payload, Buffer.from(vector.hex, "hex")]) {
      assert.deepEqual(toJson(schema, decodeMessage(schema, bytes), { useProtoFieldName: true }), vector.json);
    }
  });
}
