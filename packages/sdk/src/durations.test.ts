import assert from "node:assert/strict";
import { test } from "node:test";
import { durationMs } from "./durations.ts";
import { ContextError } from "./errors.ts";

test("durations are numbers of milliseconds or texts with a unit", () => {
  const table: [string | number, number][] = [
    [0, 0],
    [1.6, 2],
    ["0ms", 0],
    ["500ms", 500],
    ["30s", 30_000],
    ["1.5h", 5_400_000],
    ["24h", 86_400_000],
    ["7d", 604_800_000],
    ["2w", 1_209_600_000],
  ];
  for (const [text, ms] of table) assert.equal(durationMs(text, "x"), ms);
});

test("anything else is refused with the setting, the value and the forms", () => {
  for (const bad of [
    "",
    "5",
    "5 s",
    "-1s",
    "1e3s",
    "s",
    "1sec",
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    null,
    undefined,
    {},
    `${"9".repeat(300)}w`,
  ]) {
    assert.throws(
      () => durationMs(bad, "timeout"),
      (error) => error instanceof ContextError && error.message.startsWith("timeout is "),
    );
  }
});
