import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { encodeRequest } from "./envelopes.ts";
import { environmentProtocol } from "./environment/protocol.ts";
import { CheckpointRequestSchema, RegisterInstanceRequestSchema } from "./gen/runtara/instance/instance_pb.ts";
import { instanceProtocol } from "./instance/protocol.ts";
import { managementProtocol } from "./management/protocol.ts";
import { type FrameFault, readRequest } from "./read-request.ts";
import { seed } from "./testing/messages.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
const checkpoint = create(CheckpointRequestSchema, { instanceId: "i", checkpointId: "c", state: hex("73") });

test("a request is read from a frame of any valid type", () => {
  for (let type = 1; type <= 6; type++) {
    const read = readRequest(instanceProtocol, { type, payload: encodeRequest(checkpoint) });
    assert.equal(read.kind, "request");
    assert.ok(read.kind === "request" && read.request.case === "checkpoint");
    assert.equal(read.request.value.instanceId, "i");
    assert.equal(Buffer.from(read.request.value.state).toString(), "s");
  }
});

test("an envelope without a known call is answered EMPTY_REQUEST, in every protocol", () => {
  const expected = { kind: "answer", code: "EMPTY_REQUEST", message: "RpcRequest contained no request" };
  for (const payload of [hex(""), hex("ba3e00"), hex("b03e01 ba3e03616263")]) {
    assert.deepEqual(readRequest(instanceProtocol, { type: 1, payload }), expected);
    assert.deepEqual(readRequest(environmentProtocol, { type: 1, payload }), expected);
    assert.deepEqual(readRequest(managementProtocol, { type: 1, payload }), expected);
  }
});

test("the last of several calls counts; parts of one call are merged", () => {
  const merged = readRequest(instanceProtocol, { type: 1, payload: hex("0a030a0169 0a03120174") });
  const value = create(RegisterInstanceRequestSchema, { instanceId: "i", tenantId: "t" });
  assert.deepEqual(merged, { kind: "request", request: { case: "registerInstance", value } });
  const last = readRequest(instanceProtocol, { type: 1, payload: hex("0a030a0169 2200") });
  assert.ok(last.kind === "request" && last.request.case === "sleep");
});

test("bad Protobuf and text that is not UTF-8 are answered BAD_REQUEST with the reason", () => {
  for (const [payload, reason] of [
    ["42 05 0a", /length 5/],
    ["42 04 0a 02 c3 28", /field instance_id of runtara.instance.CheckpointRequest: not valid UTF-8/],
    ["07", /field number 0/],
    ["40 01", /wire type 0 instead of 2/],
  ] as const) {
    const read = readRequest(instanceProtocol, { type: 1, payload: hex(payload) });
    assert.ok(read.kind === "answer" && read.code === "BAD_REQUEST", payload);
    assert.match(read.message, reason);
  }
});

test("faults of the frame itself: closed without a word, only a stalled or starved one is told why", () => {
  const closed: [FrameFault, number, string][] = [
    ["FRAME_TYPE_INVALID", 7, "invalid message type: 7"],
    ["FRAME_TOO_LARGE", 67_108_865, "frame too large: 67108865 bytes (max: 67108864)"],
    ["FRAME_TRUNCATED", 0, "IO error: unexpected end of frame"],
    ["STREAM_RESET", 9, "IO error: stream reset by peer: error 9"],
  ];
  const frame = { type: 1, payload: encodeRequest(checkpoint) };
  for (const [fault, faultDetail, reason] of closed) {
    assert.deepEqual(readRequest(instanceProtocol, { ...frame, fault, faultDetail }), { kind: "close", reason });
  }
  for (const fault of ["FRAME_TIMEOUT", "BUFFER_EXHAUSTED"] as const) {
    const read = readRequest(instanceProtocol, { ...frame, fault, faultDetail: 0 });
    assert.ok(read.kind === "answer" && read.code === "BAD_REQUEST");
    // What found no room was not begun, so every call may be repeated.
    const details = fault === "BUFFER_EXHAUSTED" ? { fineCode: "OVERLOADED", retryable: true } : undefined;
    assert.deepEqual(read.details, details);
  }
  for (const type of [0, 7, 65_535]) {
    assert.equal(readRequest(instanceProtocol, { type, payload: frame.payload }).kind, "close");
  }
});

test("any bytes: never throws, and every outcome is one of the three", () => {
  fc.assert(
    fc.property(fc.nat(8), fc.uint8Array({ maxLength: 60 }), (type, payload) => {
      assert.match(readRequest(instanceProtocol, { type, payload }).kind, /^(request|answer|close)$/);
      assert.match(readRequest(environmentProtocol, { type, payload }).kind, /^(request|answer|close)$/);
      assert.match(readRequest(managementProtocol, { type, payload }).kind, /^(request|answer|close)$/);
    }),
    { seed, numRuns: 2000 },
  );
});
