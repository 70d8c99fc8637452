import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

// Every sample of the README is run as it stands; `// → text` is what its line must print.

const root = fileURLToPath(new URL("../", import.meta.url));
const readme = readFileSync(`${root}README.md`, "utf8");
const samples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code ?? "");

test("the README has samples", () => {
  assert.ok(samples.length >= 9, `${samples.length} samples`);
});

for (const code of samples) {
  const line = readme.slice(0, readme.indexOf(code)).split("\n").length;
  test(`README sample at line ${line}`, async () => {
    const expected = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, text]) => text);
    assert.ok(expected.length > 0, "the sample prints nothing");
    const run = ["--conditions=runtara-src", "--input-type=module-typescript", "--eval", code];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, run, { cwd: root, timeout: 60_000 });
    assert.deepEqual(stdout.trimEnd().split("\n"), expected);
    assert.equal(stderr, "");
  });
}
