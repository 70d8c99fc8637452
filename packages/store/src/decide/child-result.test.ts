import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { InstanceStatus } from "../model.ts";
import { childResult } from "./child-result.ts";
import { bytes } from "./rows.test.helper.ts";

function text(status: InstanceStatus, report: Partial<Parameters<typeof childResult>[1]>): string {
  return Buffer.from(childResult(status, { output: null, error: null, failure: null, ...report })).toString();
}

describe("childResult", () => {
  it("carries JSON byte by byte, so that numbers stay as they are", () => {
    assert.equal(
      text("completed", { output: bytes('{"n":18446744073709551615,"x":1.0}') }),
      '{"status":"completed","output":{"n":18446744073709551615,"x":1.0}}',
    );
  });

  it("says of each end what belongs to it", () => {
    const all = { output: bytes("1"), error: 'no "way"', failure: bytes('{"code":2}') };
    assert.equal(text("completed", all), '{"status":"completed","output":1}');
    assert.equal(text("failed", all), '{"status":"failed","error":"no \\"way\\"","failure":{"code":2}}');
    assert.equal(text("cancelled", all), '{"status":"cancelled"}');
    assert.equal(text("completed", {}), '{"status":"completed"}');
    assert.equal(text("failed", {}), '{"status":"failed"}');
  });

  it("carries what is no JSON in base64", () => {
    assert.equal(
      text("completed", { output: new Uint8Array([255, 0]) }),
      '{"status":"completed","outputBase64":"/wA="}',
    );
    assert.equal(text("completed", { output: new Uint8Array(0) }), '{"status":"completed","outputBase64":""}');
    assert.equal(text("completed", { output: bytes("\uFEFF1") }), '{"status":"completed","outputBase64":"77u/MQ=="}');
    assert.equal(text("failed", { failure: bytes("{") }), '{"status":"failed","failureBase64":"ew=="}');
  });

  it("is JSON, and the output is found in it again, whatever the child reports", () => {
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
    console.log(`SEED=${seed}`);
    const output = fc.oneof(fc.uint8Array(), fc.json().map(bytes));
    fc.assert(
      fc.property(output, (given) => {
        const result = JSON.parse(text("completed", { output: given })) as { output?: unknown; outputBase64?: string };
        if (result.outputBase64 !== undefined)
          assert.deepEqual(new Uint8Array(Buffer.from(result.outputBase64, "base64")), given);
        else assert.deepEqual(result.output, JSON.parse(Buffer.from(given).toString()));
      }),
      { seed, numRuns: 500 },
    );
  });
});
