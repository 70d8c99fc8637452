import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ConfigError, readBoolean, readInteger, readPort, readPositiveInteger, readString } from "./index.ts";

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    assert.ok(!error.message.includes("\n"));
    return `${error.code} ${error.variable} ${error.message}`;
  }
  return "accepted";
}

test("a missing variable is named", () => {
  assert.equal(
    refusal(() => readString({}, "V")),
    "MISSING V missing required environment variable: V",
  );
  assert.equal(
    refusal(() => readString({ V: "" }, "V")),
    "MISSING V missing required environment variable: V",
  );
  assert.equal(readString({}, "V", "w"), "w");
});

test("ports are whole numbers up to 65535", () => {
  assert.equal(readPort({}, "P", 8001), 8001);
  assert.equal(readPort({ P: "0" }, "P", 1), 0);
  assert.equal(readPort({ P: "65535" }, "P", 1), 65_535);
  for (const P of ["abc", "99999", "-1", "80.5", " 80", "0x10", "1e3"]) {
    assert.match(
      refusal(() => readPort({ P }, "P", 1)),
      /^INVALID P invalid value for P: must be a valid port number \(got "/,
    );
  }
});

test("counts refuse signs, fractions and text", () => {
  assert.equal(readPositiveInteger({ N: "0" }, "N", 32), 0);
  for (const N of ["-5", "many", "1.5", "9007199254740993"]) {
    assert.match(
      refusal(() => readPositiveInteger({ N }, "N", 1)),
      /invalid value for N: must be a positive integer/,
    );
  }
  assert.match(
    refusal(() => readPositiveInteger({ N: "11" }, "N", 1, 10)),
    /must be a positive integer up to 10/,
  );
  assert.match(
    refusal(() => readInteger({ N: "1" }, "N", 5, 2, 9)),
    /must be a whole number from 2 to 9/,
  );
});

test("booleans take four words", () => {
  assert.equal(readBoolean({ B: "1" }, "B", false), true);
  assert.equal(readBoolean({ B: "false" }, "B", true), false);
  assert.equal(readBoolean({}, "B", true), true);
  assert.match(
    refusal(() => readBoolean({ B: "yes" }, "B", true)),
    /must be true, 1, false or 0 \(got "yes"\)/,
  );
});

test("any text either is a number within the bounds or is refused with its variable", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const said = refusal(() => readInteger({ N: text }, "N", 0, 0, 1000));
      return said === "accepted" || (said.startsWith("INVALID N ") && said.length < 200);
    }),
  );
});
