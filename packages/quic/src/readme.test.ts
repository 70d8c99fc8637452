import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../", import.meta.url));
const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const samples = [...readme.matchAll(/```ts\n([\s\S]*?)```\s*```text\n([\s\S]*?)```/g)];

for (const [index, [, code = "", prints = ""]] of samples.entries()) {
  test(`sample ${index + 1} of the README prints what it says`, async () => {
    const flags = ["--conditions=runtara-src", "--input-type=module-typescript", "--eval", code];
    const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd: root, timeout: 30_000 });
    assert.equal(stdout, prints);
  });
}

test("the README has samples", () => {
  assert.ok(samples.length >= 2);
});
