import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseRetryId, retryId } from "./retry-id.ts";

test("an id of a retry record is read as it was written, whatever the checkpoint is called", () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`SEED=${seed}`);
  const base = fc.oneof(fc.string(), fc.constantFrom("a\nb", "a::retry::1", "::retry::", ""));
  const attempt = fc.integer({ min: -2_147_483_648, max: 2_147_483_647 });
  fc.assert(
    fc.property(base, attempt, (id, n) => assert.deepEqual(parseRetryId(retryId(id, n)), { base: id, attempt: n })),
    { seed },
  );
  for (const other of ["k", "k::retry::", "k::retry::01", "k::retry::+1", "k::retry::-0", "k::retry::1 "])
    assert.equal(parseRetryId(other), undefined, other);
});
