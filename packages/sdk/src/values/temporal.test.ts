// Temporal where it is there: in Node 24 behind a flag, so in a process of its own.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

const script = `
import assert from "node:assert/strict";
import { decode, encode } from ${JSON.stringify(new URL("../codec/index.ts", import.meta.url).href)};
const texts = {
  Instant: "2026-11-21T10:00:00.123456789Z",
  ZonedDateTime: "2026-03-29T03:30:00+02:00[Europe/Berlin]",
  PlainDateTime: "2026-11-21T10:00:00",
  PlainDate: "2026-11-21",
  PlainTime: "10:00:00.5",
  PlainYearMonth: "2026-11",
  PlainMonthDay: "11-21",
  Duration: "P1DT2H",
};
for (const [name, text] of Object.entries(texts)) {
  const value = Temporal[name].from(text);
  assert.equal(encode(value), JSON.stringify({ ["$rt:Temporal." + name]: text }));
  const back = decode(encode({ deep: [value] })).deep[0];
  assert.equal(Object.getPrototypeOf(back), Temporal[name].prototype);
  assert.equal(String(back), text);
  assert.throws(() => decode(JSON.stringify({ ["$rt:Temporal." + name]: "nonsense" })), { name: "UnreadableValueError" });
}
console.log(Object.keys(texts).length);
`;

test("every class of Temporal comes back as itself, to the nanosecond", async () => {
  const flags = "Temporal" in globalThis ? [] : ["--harmony-temporal"];
  const args = ["--conditions=runtara-src", ...flags, "--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  assert.equal(stdout, "8\n");
});

test("without Temporal its values are unreadable, not lost", async () => {
  if ("Temporal" in globalThis) return;
  const { decode } = await import("../codec/index.ts");
  assert.throws(() => decode('{"$rt:Temporal.PlainDate":"2026-11-21"}'), /unknown tag/);
});
