import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { before, test } from "node:test";
import { seed } from "../src/testing/messages.ts";
import { seedInputs } from "./corpus.ts";
import { difference } from "./difference.ts";
import { fuzz } from "./fuzz.ts";
import { protocols, targets } from "./targets.ts";

// A short run of every target; `npm run fuzz` is the long one.

before(() => console.log(`SEED=${seed}`));

const folder = "/packages/protocol/src/";
const crashes = new URL("crashes/", import.meta.url);

for (const [name, target] of Object.entries(targets)) {
  test(`I10: any bytes, target ${name}`, () => {
    const { runs, crash } = fuzz(target, { seed, runs: 2_500, seconds: 10, seeds: seedInputs(name), folder });
    if (crash) {
      const input = Buffer.from(crash.input).toString("hex");
      assert.fail(`${String(crash.error)}\ninput ${input}, SEED=${seed}; longer: npm run fuzz -w packages/protocol`);
    }
    assert.ok(runs >= 1_000, `only ${runs} inputs in ten seconds`);
  });

  test(`inputs that once broke target ${name} no longer do`, () => {
    for (const file of existsSync(crashes) ? globSync(`${name}/*`, { cwd: crashes.pathname }) : []) {
      assert.doesNotThrow(() => target(Uint8Array.from(readFileSync(new URL(`${name}/${file}`, crashes)))), file);
    }
  });
}

test("the fuzzer finds what only coverage leads to, and makes it small", () => {
  const isBroken = (input: Uint8Array): void => {
    // Each step is a block of its own; all at once are one chance in 2^24.
    if (input[0] !== 0x9c) return;
    if (input[1] !== 0x3d) return;
    if (input[2] === 0x5a) throw new Error("found");
  };
  const seeds = [new Uint8Array(6)];
  const { crash } = fuzz(isBroken, { seed, runs: 5_000_000, seeds, folder: "/fuzz/fuzz.test.ts" });
  assert.equal(Buffer.from(crash?.input ?? []).toString("hex"), "9c3d5a");
});

test("the decoders differ in what is listed, each way, and in nothing of the golden encodings", () => {
  const [instance] = protocols;
  assert.ok(instance);
  const outcome = (hex: string): string => difference(instance.requestSchema, Buffer.from(hex, "hex"));
  assert.match(outcome("4203180161"), /another wire type/);
  assert.match(outcome("42021a050000000000"), /nothing may leave the message/);
  assert.match(outcome("9801ffffffffffffffffff02"), /64 bits/);
  assert.match(outcome("80808081800001"), /need not be minimal/);
  assert.match(outcome(`${"b33f".repeat(100)}${"b43f".repeat(100)}`), /not counting the outermost/);
  assert.equal(outcome(`${"b33f".repeat(101)}${"b43f".repeat(101)}`), "refused");
  assert.match(outcome("42838080808080808080010a0169"), /nothing may leave the message/);
  assert.equal(outcome("42040a02c328"), "refused");
  assert.equal(outcome("42030a0169"), "accepted");
  for (const protocol of protocols) {
    for (const input of seedInputs("request").filter(([number]) => protocols[number ?? 0] === protocol)) {
      assert.equal(difference(protocol.requestSchema, input.subarray(1)), "accepted");
    }
  }
});
