import assert from "node:assert/strict";
import { test } from "node:test";
import { countIn } from "./fsync.ts";

const summary = `strace: Process 41 attached with 12 threads
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 98.20    0.123456         61      2001           fdatasync
  1.80    0.002263          9       240         3 fsync
------ ----------- ----------- --------- --------- ----------------
100.00    0.125719         56      2241         3 total
`;

test("counts fsync and fdatasync, with and without an errors column, not the total", () => {
  assert.equal(countIn(summary), 2241);
});

test("no calls, no rows: zero", () => {
  assert.equal(countIn("strace: Process 41 attached\n"), 0);
});
