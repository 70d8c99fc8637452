// The table of stored forms in the documentation, row by row.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runInThisContext } from "node:vm";
import { decode, encode } from "../codec/index.ts";
import { readEnvelope, writeEnvelope } from "../run/envelope.ts";

const page = readFileSync(new URL("../../../../docs/stored-forms.md", import.meta.url), "utf8");
const section = (title: string): string => page.split(/^## /m).find((text) => text.startsWith(title)) ?? "";

test("each value of the table is stored as the table says", () => {
  const rows = [...section("Values").matchAll(/^\| `([^`]+)` +\| `([^`]+)`/gm)];
  assert.ok(rows.length > 12, `${rows.length} rows`);
  for (const [, expression = "", stored = ""] of rows) {
    if (expression.includes("Temporal") && !("Temporal" in globalThis)) continue;
    const value: unknown = runInThisContext(`(${expression})`);
    assert.equal(encode(value), stored, expression);
    assert.equal(encode(decode(stored)), stored, expression);
  }
});

test("the entry of the page is one, and is written like that", () => {
  const text = /^```text\n(.*?)\n```$/ms.exec(section("Entries"))?.[1] ?? "";
  const { seq, at, kind, src, outcome, stored } = readEnvelope(text);
  assert.deepEqual(
    [seq, at, kind, src, outcome, stored],
    [17, 1763760000123, "step", "src/order.ts:12:30", "value", { total: 7 }],
  );
  assert.equal(writeEnvelope({ seq, at, kind, src: JSON.stringify(src) }, outcome, JSON.stringify(stored)), text);
});
