import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const packageFolder = join(import.meta.dirname, "..");
const samples = readFileSync(join(packageFolder, "README.md"), "utf8").matchAll(/^```ts\n(.*?)^```/gms);

for (const [index, [, code = ""]] of [...samples].entries()) {
  test(`sample ${index + 1} of the README runs and prints what its comments say`, async () => {
    const args = ["--conditions=runtara-src", "--input-type=module-typescript", "-e", code];
    const child = spawn(process.execPath, args, { cwd: packageFolder, stdio: ["ignore", "pipe", "pipe"] });
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
  });
}
