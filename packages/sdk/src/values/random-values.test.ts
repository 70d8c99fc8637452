// Values of every kind by the hundred thousand; VALUES=n makes it more or fewer, SEED=n repeats one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { aesGcm, decode, encode, zstd } from "../codec/index.ts";
import { rngOf, seedOfRun } from "../testing/rng.ts";
import { randomValue } from "./random-values.test.helper.ts";
import { createSealer } from "./sealer.ts";
import { createWrapper } from "./wrapper.ts";

const count = Number(process.env.VALUES ?? 100_000);
const seed = seedOfRun();

function assertSame(back: unknown, original: unknown, index: number): void {
  // Deep-equal with the same prototypes; the texts tell apart what assert does not look into (URLSearchParams, NaN in views).
  assert.deepStrictEqual(back, original, `value ${index}, seed ${seed}`);
  assert.equal(encode(back), encode(original), `value ${index}, seed ${seed}`);
}

test(`${count} random values come back deep-equal with the same prototypes, seed ${seed}`, () => {
  const rng = rngOf(seed);
  for (let index = 0; index < count; index++) {
    const original = randomValue(rng);
    assertSame(decode(encode(original)), original, index);
  }
});

test(`${count} random values come back through codecs, seed ${seed}`, async () => {
  const rng = rngOf(seed + 1);
  const key = Uint8Array.from({ length: 32 }, () => Math.floor(rng() * 256));
  const wrappers = [[...aesGcm({ k: key }), zstd()], [zstd({ above: 0 })]].map((codecs) =>
    createWrapper(createSealer(codecs)),
  );
  const perText = 100;
  for (let index = 0; index < count; index += perText) {
    const originals = Array.from({ length: Math.min(perText, count - index) }, () => randomValue(rng, 3));
    const at = { tenantId: "t", instanceId: "i", id: `c~${index}` };
    for (const wrapper of wrappers) {
      const back = await wrapper.unwrap(await wrapper.wrap(originals, at, "test"), at);
      assertSame(back, originals, index);
    }
  }
});
