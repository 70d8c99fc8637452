import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ConfigError, readDuration } from "./index.ts";

test("a number with its unit", () => {
  const forms = {
    "250ms": 250,
    "5s": 5_000,
    "90m": 5_400_000,
    "12h": 43_200_000,
    "30d": 2_592_000_000,
    "2w": 1_209_600_000,
  };
  for (const [text, expected] of Object.entries(forms)) assert.equal(readDuration({ D: text }, "D"), expected);
  assert.equal(readDuration({}, "D"), undefined);
  assert.equal(readDuration({ D: "" }, "D"), undefined);
});

test("everything else names variable, form and value", () => {
  for (const D of ["30", "0d", "-1d", "1.5h", "d", "30 d", "1y", "999999999w", "1e3s"]) {
    assert.throws(
      () => readDuration({ D }, "D"),
      (error) =>
        error instanceof ConfigError &&
        error.variable === "D" &&
        error.message.startsWith("invalid value for D: must be a duration such as 90m, 12h or 30d") &&
        error.message.endsWith(`(got "${D}")`),
    );
  }
});

test("any text is a positive whole number of ms or is refused", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{1,20}(ms|s|m|h|d|w)$/)), (D) => {
      try {
        const durationMs = readDuration({ D }, "D");
        return durationMs === undefined ? D === "" : Number.isSafeInteger(durationMs) && durationMs > 0;
      } catch (error) {
        return error instanceof ConfigError;
      }
    }),
  );
});
