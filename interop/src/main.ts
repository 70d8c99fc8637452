// SPDX-License-Identifier: AGPL-3.0-or-later
// Runs the interop tests with Node's runner and prints the matrix. Needs the peers' folder in RUNTARA_INTEROP_BIN.
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { parseArgs } from "node:util";
import { matrixOf, renderMatrix } from "./matrix.ts";

const { values: options } = parseArgs({ options: { json: { type: "boolean", default: false } } });

/** Needs a long build and runs by a script of its own, scripts/test-environment.ts. */
const apart = "environment.test.ts";
const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".test.ts") && name !== apart);
const passed = new Map<string, boolean>();
let failures = 0;

const events = run({
  files: files.sort().map((name) => join(import.meta.dirname, name)),
  execArgv: ["--conditions=runtara-src"],
  concurrency: availableParallelism(),
});
events.on("test:pass", (event) => passed.set(event.name, event.skip === undefined && event.todo === undefined));
events.on("test:fail", (event) => {
  failures++;
  passed.set(event.name, false);
});
events.on("end", () => {
  const matrix = matrixOf(passed);
  const ok = matrix.ok && failures === 0;
  if (options.json) process.stdout.write(`${JSON.stringify({ ...matrix, ok, failures })}\n`);
  else process.stdout.write(`\n${renderMatrix(matrix)}\n`);
  process.exitCode = ok ? 0 : 1;
});
events.compose(spec).pipe(options.json ? process.stderr : process.stdout);
