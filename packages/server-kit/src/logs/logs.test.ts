import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { ConfigError, readLogSettings } from "../index.ts";
import { prettyLine } from "./pretty-log.ts";

test("an entry is one line with clock, level, name, sentence and details; a stack follows", () => {
  const time = new Date(2026, 0, 2, 3, 4, 5, 6).getTime();
  const entry = {
    level: 40,
    time,
    pid: 1,
    hostname: "h",
    name: "core",
    peer: "127.0.0.1:9",
    reason: "two words",
    msg: "hello",
  };
  assert.equal(
    prettyLine(JSON.stringify(entry), false),
    '03:04:05.006 WARN  core: hello peer=127.0.0.1:9 reason="two words"\n',
  );
  const failed = { level: 50, time, err: { type: "Error", message: "m", stack: "  at x" }, msg: "failed" };
  assert.equal(prettyLine(JSON.stringify(failed), false), "03:04:05.006 ERROR failed\n    Error: m\n      at x\n");
  const causes = [{ code: "B" }, { code: "C", message: "why" }, { message: "deep" }];
  const wrapped = { level: 50, time, err: { type: "CoreError", code: "A", message: "m", causes }, msg: "failed" };
  assert.equal(
    prettyLine(JSON.stringify(wrapped), false),
    "03:04:05.006 ERROR failed\n    CoreError [A]: m\n    caused by B\n    caused by C: why\n    caused by deep\n",
  );
  for (const err of ["text", null, 7, { type: 1 }]) {
    const line = prettyLine(JSON.stringify({ level: 50, time, err, msg: "failed" }), false);
    assert.equal(line, `03:04:05.006 ERROR failed\n    ${JSON.stringify(err)}\n`);
  }
  assert.ok(prettyLine(JSON.stringify(failed), true).includes("\u001b[31mERROR\u001b[0m failed"));
});

test("what is no entry stays as it is, and no detail breaks the line", () => {
  for (const text of ["", "{", "[1]", "null", '"x"', '{"level":"x"}']) assert.equal(prettyLine(text, false), text);
  fc.assert(
    fc.property(fc.string(), fc.jsonValue(), (key, value) => {
      fc.pre(!["err", "msg", "name", "level", "time", "__proto__"].includes(key) && !key.includes("\n"));
      return prettyLine(JSON.stringify({ level: 30, time: 0, msg: "m", [key]: value }), false).indexOf("\n") > 0;
    }),
  );
});

test("the level is RUNTARA_LOG_LEVEL, else the plain level of RUST_LOG, else info", () => {
  const level = (env: Record<string, string>) => readLogSettings(env, false).level;
  assert.equal(level({}), "info");
  assert.equal(level({ RUNTARA_LOG_LEVEL: "error", RUST_LOG: "debug" }), "error");
  assert.equal(level({ RUST_LOG: "debug" }), "debug");
  assert.equal(level({ RUST_LOG: "runtara_core=debug,WARN" }), "warn");
  assert.equal(level({ RUST_LOG: "runtara_core=debug" }), "info");
  assert.equal(level({ RUST_LOG: "off" }), "silent");
  assert.throws(() => level({ RUNTARA_LOG_LEVEL: "loud" }), ConfigError);
});

test("the format is JSON but for a terminal, unless RUNTARA_LOG_FORMAT says", () => {
  assert.equal(readLogSettings({}, true).format, "pretty");
  assert.equal(readLogSettings({}, false).format, "json");
  assert.equal(readLogSettings({ RUNTARA_LOG_FORMAT: "json" }, true).format, "json");
  assert.throws(() => readLogSettings({ RUNTARA_LOG_FORMAT: "xml" }, true), /RUNTARA_LOG_FORMAT.*json, pretty.*xml/);
});

test("both formats go to stderr at once, stacks included", () => {
  const kit = JSON.stringify(new URL("../index.ts", import.meta.url).href);
  const program = `
    const { createLogger } = await import(${kit});
    createLogger({ name: "core", format: process.argv[1] }).error({ err: new Error("gone"), port: 7 }, "failed");
    process.exit(0);`;
  const run = (format: string) => {
    const args = ["--conditions=runtara-src", "--input-type=module", "-e", program, format];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.equal(stdout, "");
    return stderr;
  };
  const entry = JSON.parse(run("json")) as { err: { message: string }; port: number };
  assert.deepEqual([entry.err.message, entry.port], ["gone", 7]);
  assert.match(run("pretty"), /^\d\d:\d\d:\d\d\.\d{3} ERROR core: failed port=7\n {4}Error: gone\n/);
});
