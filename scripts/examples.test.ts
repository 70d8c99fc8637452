// The examples are short, and each has a test.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const folder = join(import.meta.dirname, "../examples");
const linesMax = 80;
const names = ["agent", "approval", "cron", "fan-out", "long-import", "migration", "order-saga", "polling"];

for (const name of names) {
  test(`the example ${name} is under ${linesMax} lines and has a test on the kit`, () => {
    const files = globSync(`${name}/*.ts`, { cwd: folder });
    const tests = files.filter((file) => file.endsWith(".test.ts"));
    const texts = files.filter((file) => !tests.includes(file)).map((file) => readFileSync(join(folder, file), "utf8"));
    const lines = texts.reduce((sum, text) => sum + text.trimEnd().split("\n").length, 0);
    assert.ok(lines > 0 && lines < linesMax, `${lines} lines`);
    assert.ok(tests.some((file) => readFileSync(join(folder, file), "utf8").includes('from "@runtara/testkit"')));
  });
}
