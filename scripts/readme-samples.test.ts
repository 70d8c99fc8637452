// The samples of packages whose READMEs need nothing but Node: each runs and prints what its `// →` comments say.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

for (const name of ["core", "server-kit", "store", "testkit"]) {
  const folder = join(import.meta.dirname, "..", "packages", name);
  const samples = [...readFileSync(join(folder, "README.md"), "utf8").matchAll(/^```ts\n(.*?)^```/gms)];
  assert.ok(samples.length > 0, `the README of ${name} has no sample`);
  for (const [index, [, code = ""]] of samples.entries()) {
    test(`sample ${index + 1} of the README of ${name} runs and prints what its comments say`, () => run(folder, code));
  }
}

async function run(folder: string, code: string): Promise<void> {
  const args = ["--conditions=runtara-src", "--input-type=module-typescript", "-e", code];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  let complaints = "";
  child.stdout.on("data", (chunk: Buffer) => {
    printed += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    complaints += chunk;
  });
  const [exitCode] = await once(child, "close");
  assert.equal(exitCode, 0, complaints);
  const expected = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => `${line}\n`).join("");
  assert.equal(printed, expected);
}
