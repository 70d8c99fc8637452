import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { decodeResponse, encodeError } from "./envelopes.ts";
import { environmentProtocol } from "./environment/protocol.ts";
import { type ErrorDetails, isProtocolError, type ProtocolError } from "./errors.ts";
import { fineCodes, isFineCode } from "./fine-codes.ts";
import { ListImagesRequestSchema } from "./gen/runtara/environment/environment_pb.ts";
import { CheckpointRequestSchema, SignalAckSchema } from "./gen/runtara/instance/instance_pb.ts";
import { WaitResultRequestSchema } from "./gen/runtara/management/management_pb.ts";
import { instanceProtocol } from "./instance/protocol.ts";
import { managementProtocol } from "./management/protocol.ts";

const cases = [
  [instanceProtocol, create(CheckpointRequestSchema)],
  [instanceProtocol, create(SignalAckSchema)],
  [environmentProtocol, create(ListImagesRequestSchema)],
  [managementProtocol, create(WaitResultRequestSchema)],
] as const;

function errorFor(index: number, details?: ErrorDetails): ProtocolError {
  const [protocol, request] = cases[index] ?? cases[0];
  try {
    // Each protocol has a type of its own; encodeError takes any.
    decodeResponse(request, encodeError(protocol as typeof instanceProtocol, "SOME_ERROR", "a text", details));
  } catch (error) {
    if (isProtocolError(error)) return error;
    throw error;
  }
  return assert.fail("no error was read");
}

for (const [index, [protocol, request]] of cases.entries()) {
  test(`error details arrive: ${protocol.name}, ${request.$typeName}`, () => {
    const error = errorFor(index, { fineCode: "OVERLOADED", retryable: true, retryAfterMs: 250 });
    const { code, rpcCode, message, fineCode, isRetryable, retryAfterMs } = error;
    assert.deepEqual([code, rpcCode, message], ["RPC", "SOME_ERROR", "a text"]);
    assert.deepEqual([fineCode, isRetryable, retryAfterMs], ["OVERLOADED", true, 250]);
  });
}

test("without details the bytes are those of 1.4.1, and the error has none", () => {
  const bytes = Buffer.from(encodeError(instanceProtocol, "A", "b")).toString("hex");
  assert.equal(bytes, "7a060a0141120162");
  const { fineCode, isRetryable, retryAfterMs } = errorFor(0);
  assert.deepEqual([fineCode, isRetryable, retryAfterMs], [undefined, undefined, undefined]);
  const { isRetryable: isFinal, retryAfterMs: atOnce } = errorFor(0, { retryable: false, retryAfterMs: 0 });
  assert.deepEqual([isFinal, atOnce], [false, 0]);
});

test("a hint that the field cannot hold is moved to the nearest one that it can", () => {
  const cases: [given: number, sent: number | undefined][] = [
    [1.2, 2],
    [-5, 0],
    [Number.POSITIVE_INFINITY, 4_294_967_295],
    [Number.NaN, undefined],
  ];
  for (const [given, sent] of cases) assert.equal(errorFor(0, { retryAfterMs: given }).retryAfterMs, sent);
});

test("fine codes are in the form of codes, each once", () => {
  assert.equal(new Set(fineCodes).size, fineCodes.length);
  for (const code of fineCodes) assert.match(code, /^[A-Z]+(_[A-Z]+)*$/);
  assert.deepEqual([isFineCode("FENCED"), isFineCode("fenced"), isFineCode(undefined)], [true, false, false]);
});
