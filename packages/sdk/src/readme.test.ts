// The samples of the README are run, and print what it says.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { TestCore } from "./testing/core-in-process.ts";
import { temporaryFolder } from "./testing/processes.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

/** Files by name, and for those that are followed by a text block what they print. */
function samples(): { files: Map<string, string>; outputs: Map<string, string> } {
  const files = new Map<string, string>();
  const outputs = new Map<string, string>();
  let last: string | undefined;
  for (const [, language, code = ""] of readme.matchAll(/^```(ts|text)\n(.*?)^```$/gms)) {
    if (language === "ts") {
      last = /^\/\/ (\S+\.ts)\n/.exec(code)?.[1];
      assert.ok(last, `a sample without a file name: ${code.slice(0, 40)}`);
      files.set(last, code);
    } else if (last) {
      outputs.set(last, code);
      last = undefined;
    }
  }
  return { files, outputs };
}

test("every sample of the README runs and prints what the README says", async (t) => {
  const core = await TestCore.start(t);
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "node_modules", "@runtara"), { recursive: true });
  symlinkSync(fileURLToPath(new URL("..", import.meta.url)), join(folder, "node_modules", "@runtara", "sdk"));
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  const { files, outputs } = samples();
  for (const [name, code] of files) writeFileSync(join(folder, name), code);
  assert.deepEqual([...outputs.keys()], ["embedded.ts", "worker.ts", "transaction.ts", "values.ts", "raw.ts"]);
  const run = promisify(execFile);
  const env = { ...process.env, RUNTARA_SERVER_ADDR: core.address, NODE_NO_WARNINGS: "1" };
  // The embedded one twice: its instance has ended then, and is attached to.
  for (const name of [...outputs.keys(), "embedded.ts"]) {
    const { stdout } = await run(process.execPath, ["--conditions=runtara-src", join(folder, name)], {
      env,
      cwd: folder,
    });
    assert.equal(stdout, outputs.get(name), name);
  }
});
