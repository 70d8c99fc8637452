import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ProtocolError, type ProtocolErrorCode } from "./errors.ts";
import { decodeFrame, encodeFrame, frameType } from "./frames.ts";
import { limits } from "./limits.ts";
import { seed } from "./testing/messages.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

function refuses(bytes: Uint8Array, code: ProtocolErrorCode, text: string): void {
  assert.throws(
    () => decodeFrame(bytes),
    (error) => error instanceof ProtocolError && error.code === code && error.message.startsWith(text),
  );
}

test("what is encoded is decoded, whatever follows it", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array(),
      (type, payload, rest) => {
        const frame = decodeFrame(Buffer.concat([encodeFrame(type, payload), rest]));
        assert.equal(frame.type, type);
        assert.deepEqual(Uint8Array.from(frame.payload), payload);
      },
    ),
    { seed },
  );
});

test("a frame is length, type, payload, the numbers big-endian", () => {
  assert.deepEqual(encodeFrame(frameType.response, hex("4200")), hex("00000002 0002 4200"));
  assert.deepEqual(encodeFrame(frameType.request, hex("")), hex("00000000 0001"));
});

test("the payload of a decoded frame is a view of the input", () => {
  const bytes = hex("ff 00000002 0001 0102 ff").subarray(1);
  assert.equal(decodeFrame(bytes).payload.buffer, bytes.buffer);
});

test("faults are found in the order header, type, length, payload", () => {
  refuses(hex(""), "FRAME_TRUNCATED", "IO error: unexpected end of frame: 0 of 6");
  refuses(hex("ffffffff 00"), "FRAME_TRUNCATED", "IO error: ");
  refuses(hex("ffffffff 0000"), "FRAME_TYPE_INVALID", "invalid message type: 0");
  refuses(hex("ffffffff 0007"), "FRAME_TYPE_INVALID", "invalid message type: 7");
  refuses(hex("00000000 ffff"), "FRAME_TYPE_INVALID", "invalid message type: 65535");
  refuses(hex("04000001 0001"), "FRAME_TOO_LARGE", "frame too large: 67108865 bytes (max: 67108864)");
  refuses(hex("04000000 0001"), "FRAME_TRUNCATED", "IO error: unexpected end of frame: 67108864 of 67108864");
  refuses(hex("00000003 0001 0102"), "FRAME_TRUNCATED", "IO error: unexpected end of frame: 1 of 3");
});

test("64 MiB fit, one byte more does not", () => {
  const largest = new Uint8Array(limits.framePayloadBytesMax);
  assert.equal(decodeFrame(encodeFrame(frameType.request, largest)).payload.length, limits.framePayloadBytesMax);
  assert.throws(
    () => encodeFrame(frameType.request, new Uint8Array(limits.framePayloadBytesMax + 1)),
    (error) => error instanceof ProtocolError && error.code === "FRAME_TOO_LARGE",
  );
});

test("a type outside 1 to 6 is not sent", () => {
  for (const type of [0, 7, -1, 1.5, Number.NaN]) {
    assert.throws(
      () => encodeFrame(type, hex("")),
      (error) => error instanceof ProtocolError && error.code === "FRAME_TYPE_INVALID",
    );
  }
});
