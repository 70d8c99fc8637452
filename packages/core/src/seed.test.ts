import assert from "node:assert/strict";
import { test } from "node:test";
import { newSeed } from "./seed.ts";

test("every seed is one of its own, of 16 bytes, and stays as it is when others are drawn", () => {
  const seeds = Array.from({ length: 1_000 }, newSeed);
  const texts = seeds.map((seed) => Buffer.from(seed).toString("hex"));
  for (let more = 0; more < 1_000; more += 1) newSeed();
  assert.equal(new Set(texts).size, seeds.length);
  for (const [index, seed] of seeds.entries()) {
    assert.equal(seed.byteLength, 16);
    assert.equal(Buffer.from(seed).toString("hex"), texts[index]);
  }
});
