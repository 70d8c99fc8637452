import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cronTimes } from "./cron-times.ts";

const runs = Number(process.env.CRON_RUNS ?? 60);

async function after(cron: string, timezone: string, from: string, count: number): Promise<string[]> {
  const times = await cronTimes(cron, timezone);
  const found: string[] = [];
  for (let at = times.next(Date.parse(from)); at !== undefined && found.length < count; at = times.next(at)) {
    found.push(new Date(at).toISOString().slice(0, 16));
  }
  return found;
}

test("a fixed time in Berlin: right behind the gap of spring, once in the doubled hour of autumn", async () => {
  assert.deepEqual(await after("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2), [
    "2026-03-29T01:00",
    "2026-03-30T00:30",
  ]);
  assert.deepEqual(await after("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2), [
    "2026-10-25T00:30",
    "2026-10-26T01:30",
  ]);
  assert.deepEqual(await after("30 2,14 * * *", "Europe/Berlin", "2026-10-24T20:00:00Z", 3), [
    "2026-10-25T00:30",
    "2026-10-25T13:30",
    "2026-10-26T01:30",
  ]);
});

test("steps go by the time that passes, whatever the clock on the wall does", async () => {
  const halfHours = (from: string) => after("*/30 * * * *", "Europe/Berlin", from, 8);
  for (const from of ["2026-03-28T23:45:00Z", "2026-10-24T23:15:00Z"]) {
    const found = (await halfHours(from)).map((time) => Date.parse(`${time}Z`));
    for (const [n, at] of found.entries()) assert.equal(at - (found[0] ?? 0), n * 1_800_000);
  }
});

/** Which numbers a field of the test's texts means. */
const field = (max: number) =>
  fc.oneof(
    fc.constant("*"),
    fc.integer({ min: 2, max: 20 }).map((step) => `*/${step}`),
    fc.array(fc.integer({ min: 0, max }), { minLength: 1, maxLength: 3 }).map((list) => [...new Set(list)].join(",")),
    fc
      .tuple(fc.integer({ min: 0, max }), fc.integer({ min: 0, max }))
      .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
  );

function fits(text: string, value: number): boolean {
  if (text === "*") return true;
  const step = /^\*\/(\d+)$/.exec(text)?.[1];
  if (step !== undefined) return value % Number(step) === 0;
  const range = /^(\d+)-(\d+)$/.exec(text);
  if (range !== null) return value >= Number(range[1]) && value <= Number(range[2]);
  return text.split(",").map(Number).includes(value);
}

test("equal to a naive list of minutes, forwards and backwards", async () => {
  const text = fc.tuple(field(59), field(23), fc.constantFrom("*", "1-5", "0", "6"));
  const beginMs = fc.integer({ min: Date.UTC(2020, 0, 1) / 60_000, max: Date.UTC(2035, 0, 1) / 60_000 });
  await fc.assert(
    fc.asyncProperty(text, beginMs, async ([minute, hour, weekday], beginMinute) => {
      const times = await cronTimes(`${minute} ${hour} * * ${weekday}`, "UTC");
      const fromMs = beginMinute * 60_000;
      const naive: number[] = [];
      for (let at = fromMs; at < fromMs + 2 * 86_400_000; at += 60_000) {
        const date = new Date(at);
        const isOne = fits(minute, date.getUTCMinutes()) && fits(hour, date.getUTCHours());
        if (isOne && fits(weekday, date.getUTCDay())) naive.push(at);
      }
      const found: number[] = [];
      for (let at = times.next(fromMs - 1); at !== undefined && found.length < naive.length; at = times.next(at)) {
        found.push(at);
      }
      assert.deepEqual(found, naive);
      for (const [n, at] of naive.entries()) if (n > 0) assert.equal(times.last(at), naive[n - 1]);
    }),
    { numRuns: runs },
  );
});

test("a time that never comes; seconds; a leap day", async () => {
  assert.equal((await cronTimes("0 0 30 2 *", "UTC")).next(Date.UTC(2026, 0, 1)), undefined);
  assert.equal(
    (await cronTimes("*/10 * * * * *", "UTC")).next(Date.UTC(2026, 0, 1) + 1),
    Date.UTC(2026, 0, 1, 0, 0, 10),
  );
  assert.deepEqual(await after("0 12 29 2 *", "UTC", "2026-01-01T00:00:00Z", 1), ["2028-02-29T12:00"]);
});

test("refused with what is wrong and what helps: fields, values, zones, length", async () => {
  const wrong: readonly [cron: string, timezone: string, text: RegExp][] = [
    ["* * *", "UTC", /'\* \* \*' has 3 fields; give five/],
    ["@daily", "UTC", /has 1 fields/],
    ["* * * * * * *", "UTC", /has 7 fields/],
    ["61 * * * *", "UTC", /'61 \* \* \* \*' is no cron text/],
    ["a b c d e", "UTC", /is no cron text/],
    ["", "UTC", /has 1 fields/],
    ["0 3 * * *", "Nowhere/Land", /'Nowhere\/Land' is no time zone/],
    [`${"1,".repeat(200)}1 * * * *`, "UTC", /has 409 characters; at most 256/],
  ];
  for (const [cron, timezone, message] of wrong) {
    await assert.rejects(cronTimes(cron, timezone), { name: "CoreError", code: "VALIDATION_ERROR", message });
  }
});
