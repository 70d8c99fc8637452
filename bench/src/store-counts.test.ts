import assert from "node:assert/strict";
import { test } from "node:test";
import { countIn } from "./store-counts.ts";

test("a counter is read from the text of the metrics", () => {
  const text = '# HELP a_total Things.\n# TYPE a_total counter\na_total 12\na_total_more 3\nb{x="1"} 4\n';
  assert.equal(countIn(text, "a_total"), 12);
  assert.throws(() => countIn(text, "b"), /has no b/);
});
