import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { limits } from "../../limits.ts";
import { seed } from "../../testing/messages.ts";
import { keepAlivePing, stopOf, stopPing } from "./stop-ping.ts";

test("a stop travels in a PING, and other PINGs are none", () => {
  const streamIds = fc.integer({ min: 1, max: limits.http2StreamIdMax });
  fc.assert(
    fc.property(streamIds, fc.integer({ min: 0, max: limits.http2ResetCodeMax }), (streamId, code) => {
      assert.deepEqual(stopOf(stopPing({ streamId, code })), { streamId, code });
    }),
    { seed },
  );
  assert.equal(stopOf(keepAlivePing), undefined);
  for (const hex of ["7fffffffffffffff", "8000000000000001", "8000000180000000", "80000001"]) {
    assert.equal(stopOf(Buffer.from(hex, "hex")), undefined, hex);
  }
});
