// What `open` loads on a SQLite file: no protocol and its addon, no PostgreSQL, no cron times, no threads but the one that keeps leases.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { folder } from "./local.test.helper.ts";

/** Prints the URLs of the modules that a first workflow has needed. */
const program = `
import { registerHooks } from "node:module";
const loaded = [];
registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
const { open } = await import("@runtara/sdk/embedded");
const { step, workflow } = await import("@runtara/sdk");
const greet = workflow("greet", async (name) => step("greet", () => "Hello " + name));
const warnings = [];
const logger = { debug() {}, info() {}, error() {}, warn: (_, message) => warnings.push(message) };
const runtime = await open({ store: process.argv[1], workflows: [greet], logger });
const result = await runtime.run(greet, "World");
await runtime.close();
console.log(JSON.stringify({ result, loaded, warnings }));
`;

test("a first workflow on SQLite loads core and the SQLite engine, and nothing for servers, PostgreSQL or schedules", (t) => {
  const url = `sqlite:${join(folder(t), "work.db")}`;
  const args = ["--conditions=runtara-src", "--input-type=module", "--eval", program, url];
  const output = execFileSync(process.execPath, args, { cwd: import.meta.dirname, encoding: "utf8" });
  const { result, loaded, warnings } = JSON.parse(output) as { result: string; loaded: string[]; warnings: string[] };
  assert.deepEqual(warnings, []);
  assert.equal(result, "Hello World");
  const isOf = (part: string) => loaded.filter((module) => module.includes(part));
  assert.ok(isOf("/packages/core/src/").length > 0);
  assert.ok(isOf("/packages/store/src/sqlite/").length > 0);
  for (const part of [
    "/packages/protocol/",
    "/packages/quic/",
    "/packages/server-kit/",
    "/packages/core/src/server/",
    "/packages/sdk/src/wire/",
    "/packages/sdk/src/worker/",
    "/packages/store/src/postgres/",
    "/packages/store/src/memory/",
    "/packages/store/src/sqlite/thread",
    "/node_modules/pg/",
    "/node_modules/croner/",
    "/testing/",
  ]) {
    assert.deepEqual(isOf(part), [], part);
  }
});
