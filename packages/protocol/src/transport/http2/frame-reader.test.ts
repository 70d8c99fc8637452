import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { encodeFrame } from "../../frames.ts";
import { limits } from "../../limits.ts";
import { seed } from "../../testing/messages.ts";
import { FrameReader } from "./frame-reader.ts";

const bounds = { payloadBytesMax: limits.framePayloadBytesMax, typeMax: limits.frameTypeMax, readTimeoutMs: 0 };

/** The bytes in pieces that end at these places. */
function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const made: Uint8Array[] = [];
  let start = 0;
  for (const end of [...ends, bytes.length]) {
    if (end > start) made.push(bytes.slice(start, end));
    start = end;
  }
  return made;
}

/** Feeds pieces until the frame is read; what was not needed comes back. */
function readAll(parts: readonly Uint8Array[]): { reader: FrameReader; rest: Buffer } {
  const reader = new FrameReader(bounds);
  let used = 0;
  for (const part of parts) {
    used++;
    if (reader.push(part)) break;
  }
  return { reader, rest: Buffer.concat([reader.rest, ...parts.slice(used)]) };
}

test("a frame is the same however its bytes are cut, and what follows it stays", () => {
  const payloads = fc.uint8Array({ maxLength: 300 });
  const cuts = fc.array(fc.nat(1_000), { maxLength: 12 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), payloads, payloads, cuts, (type, payload, after, at) => {
      const bytes = Buffer.concat([encodeFrame(type, payload), after]);
      const { reader, rest } = readAll(pieces(bytes, at));
      assert.ok(reader.read !== undefined && reader.read.fault === undefined);
      assert.equal(reader.read.type, type);
      assert.deepEqual(Buffer.from(reader.read.payload), Buffer.from(payload));
      assert.deepEqual(rest, Buffer.from(after));
    }),
    { seed },
  );
});

test("every byte on its own, and a large frame in pieces of a DATA frame", () => {
  const payload = Buffer.from(Uint8Array.from({ length: 200_000 }, (_, i) => i % 251));
  const bytes = encodeFrame(2, payload);
  for (const step of [1, 16_384]) {
    const cuts = Array.from({ length: Math.ceil(bytes.length / step) }, (_, i) => i * step);
    const { reader } = readAll(pieces(bytes, cuts));
    assert.ok(reader.read?.fault === undefined);
    assert.ok(payload.equals(reader.read?.payload ?? Buffer.alloc(0)));
  }
});

test("the type is judged before the length, and both before anything is kept", () => {
  const faults = (hex: string): unknown => {
    const reader = new FrameReader(bounds);
    reader.push(Buffer.from(hex, "hex"));
    return reader.read;
  };
  assert.deepEqual(faults("ffffffff0007"), { fault: "FRAME_TYPE_INVALID", detail: 7 });
  assert.deepEqual(faults("000000000000"), { fault: "FRAME_TYPE_INVALID", detail: 0 });
  assert.deepEqual(faults("040000010001"), { fault: "FRAME_TOO_LARGE", detail: 67_108_865 });
  const before = process.memoryUsage().arrayBuffers;
  const reader = new FrameReader(bounds);
  assert.equal(reader.push(Buffer.from("0400000000010000", "hex")), false);
  assert.equal(reader.payloadBytes, 67_108_864);
  assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000, "a claimed length is not yet memory");
});

test("an end is where it happened", () => {
  for (const [hex, detail] of [
    ["", 0],
    ["000000", 3],
    ["0000000300010102", 8],
  ] as const) {
    const reader = new FrameReader(bounds);
    if (hex !== "") assert.equal(reader.push(Buffer.from(hex, "hex")), false);
    reader.end();
    assert.deepEqual(reader.read, { fault: "FRAME_TRUNCATED", detail });
  }
});
