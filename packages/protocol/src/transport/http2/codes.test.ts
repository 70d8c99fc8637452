import assert from "node:assert/strict";
import { constants } from "node:http2";
import { test } from "node:test";
import * as fc from "fast-check";
import { limits } from "../../limits.ts";
import { seed } from "../../testing/messages.ts";
import { resetCodeOf, wireCode } from "./codes.ts";
import { closeText, farewellOf, refusalBytes } from "./goaway.ts";

test("reset codes go over HTTP/2 and come back", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: limits.http2ResetCodeMax }), (code) => {
      const wire = wireCode(code);
      assert.ok(wire >= 0 && wire <= 0xffff_ffff);
      assert.equal(resetCodeOf(wire), code);
    }),
    { seed },
  );
  assert.equal(wireCode(0), constants.NGHTTP2_CANCEL);
  assert.equal(resetCodeOf(constants.NGHTTP2_NO_ERROR), 0);
});

test("HTTP/2's own codes are no codes of ours", () => {
  const own = [constants.NGHTTP2_REFUSED_STREAM, constants.NGHTTP2_ENHANCE_YOUR_CALM].map(resetCodeOf);
  assert.deepEqual(own, [4_294_967_303, 4_294_967_307]);
  for (const code of [-1, 0.5, 2 ** 31, Number.NaN]) assert.throws(() => wireCode(code), RangeError);
});

test("close code and reason travel in GOAWAY's text", () => {
  const reasons = fc.string({ unit: "binary", maxLength: 100 }).filter((text) => text.isWellFormed());
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), reasons, (code, reason) => {
      assert.deepEqual(farewellOf(closeText(code, reason)), { is: "close", code: BigInt(code), reason });
    }),
    { seed },
  );
  const cut = farewellOf(closeText(1, "ä".repeat(5_000)));
  assert.ok(cut?.is === "close" && /^ä{400,}$/.test(cut.reason), "cut between characters");
  for (const text of ["", "go away", "runtara close x y", "runtara refuse NO_SUCH_CODE y"]) {
    assert.equal(farewellOf(Buffer.from(text)), undefined, text);
  }
  assert.equal(farewellOf(undefined), undefined);
});

test("a refusal is a SETTINGS and a GOAWAY frame with the error", () => {
  const bytes = refusalBytes("TLS_CERTIFICATE_EXPIRED", "renew it");
  assert.equal(bytes.subarray(0, 9).toString("hex"), "000000040000000000");
  assert.equal(bytes.readUIntBE(9, 3), bytes.length - 18);
  assert.equal(bytes.subarray(12, 26).toString("hex"), "070000000000000000000000000c");
  const farewell = farewellOf(bytes.subarray(26));
  assert.ok(farewell?.is === "refuse");
  assert.deepEqual([farewell.error.code, farewell.error.message], ["TLS_CERTIFICATE_EXPIRED", "renew it"]);
});
