import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTick } from "node:timers/promises";
import fc from "fast-check";
import type { QuicConnection, QuicStream } from "./index.ts";
import { bytes, framed, isEqual, pair } from "./peers.test.helper.ts";

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`SEED=${seed}`);

async function readAll(stream: QuicStream): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (let piece = await stream.read(); piece !== undefined; piece = await stream.read()) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Sends a frame in these pieces, each in a tick of its own, and checks that its echo is whole. */
async function sendIn(connection: QuicConnection, payload: Uint8Array, sizes: readonly number[]): Promise<void> {
  const frame = framed(1, payload);
  const stream = await connection.openStream();
  let at = 0;
  for (const size of sizes) {
    await stream.write(frame.subarray(at, at + size));
    at += size;
    await nextTick();
  }
  await stream.write(frame.subarray(at));
  await stream.finish();
  assert.ok(isEqual(await readAll(stream), framed(2, payload)), `pieces of ${sizes.join(", ")}`);
}

test("a frame cut at any byte arrives whole", async (t) => {
  const connection = await pair(t);
  const payload = bytes(60, 5);
  const cuts = Array.from({ length: 6 + payload.length + 1 }, (_, cut) => cut);
  await Promise.all(cuts.map((cut) => sendIn(connection, payload, [cut])));
});

test("a frame that comes byte by byte arrives whole", async (t) => {
  const connection = await pair(t);
  await sendIn(connection, bytes(200, 6), new Array<number>(206).fill(1));
});

test("frames in any pieces arrive whole, many at once", async (t) => {
  const connection = await pair(t);
  const frame = fc.record({
    length: fc.oneof(fc.nat({ max: 100 }), fc.nat({ max: 5_000 }), fc.constantFrom(65_535, 65_536, 65_537, 150_000)),
    sizes: fc.array(fc.oneof(fc.nat({ max: 8 }), fc.nat({ max: 3_000 })), { maxLength: 12 }),
  });
  const property = fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 6 }), async (frames) => {
    await Promise.all(frames.map(({ length, sizes }) => sendIn(connection, bytes(length, length + 1), sizes)));
  });
  await fc.assert(property, { seed, numRuns: 40 });
});
