import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { decodeResponse, encodeRequest } from "../src/envelopes.ts";
import { environmentProtocol } from "../src/environment/protocol.ts";
import { ProtocolError, type ProtocolErrorCode } from "../src/errors.ts";
import { decodeFrame, encodeFrame } from "../src/frames.ts";
import { CheckpointRequestSchema } from "../src/gen/runtara/instance/instance_pb.ts";
import { instanceProtocol } from "../src/instance/protocol.ts";
import { limits } from "../src/limits.ts";
import { toLogJson } from "../src/log-json/to-log-json.ts";
import { managementProtocol } from "../src/management/protocol.ts";
import type { Protocol } from "../src/protocols/protocol.ts";
import { readRequest } from "../src/read-request.ts";
import { decodeMessage } from "../src/wire/decode.ts";
import { encodeMessage } from "../src/wire/encode.ts";
import { difference } from "./difference.ts";

// Each takes any bytes and throws if a promise is broken. Where there is a choice of protocol, the first byte makes it.

export type Target = (input: Uint8Array) => void;

export const protocols: readonly Protocol[] = [instanceProtocol, environmentProtocol, managementProtocol] as never;

export const targets: Readonly<Record<string, Target>> = {
  /** A frame is read or refused, and what was read is written as it was. */
  frame(input) {
    const frame = unlessRefused(() => decodeFrame(input), "FRAME_TRUNCATED", "FRAME_TYPE_INVALID", "FRAME_TOO_LARGE");
    if (frame === undefined) return;
    const bytes = encodeFrame(frame.type, frame.payload);
    assert.ok(Buffer.from(bytes).equals(input.subarray(0, bytes.length)));
  },
  /** A payload is decoded or refused, and what was decoded survives encoding. */
  request: (input) => roundTrip(chosen(input).requestSchema, input.subarray(1)),
  response: (input) => roundTrip(chosen(input).responseSchema, input.subarray(1)),
  /** Protobuf-ES reads the same, or there is a known reason why not. */
  difference(input) {
    const schema = (input[0] ?? 0) < 128 ? chosen(input).requestSchema : chosen(input).responseSchema;
    difference(schema, input.subarray(1));
  },
  /** A log line of whatever was decoded: JSON, and no longer than was promised. */
  logJson(input) {
    const { requestSchema, responseSchema } = chosen(input);
    const schema = (input[0] ?? 0) < 128 ? requestSchema : responseSchema;
    const message = unlessRefused(() => decodeMessage(schema, input.subarray(1)), "DECODE_FAILED");
    if (message === undefined) return;
    const line = JSON.stringify(toLogJson(message));
    assert.ok(line.length <= limits.logJson.charactersMax, `${line.length} characters`);
  },
  /** What a server makes of a frame: always one of three things. */
  readRequest(input) {
    const type = input[1] ?? 0;
    const payload = input.subarray(2);
    const read = readRequest(chosen(input), { type, payload });
    switch (read.kind) {
      case "request":
        assert.ok(encodeRequest(read.request.value as Message).length >= 0);
        return;
      case "answer":
        assert.match(read.code, /^(BAD|EMPTY)_REQUEST$/);
        return;
      case "close":
        assert.ok(type < 1 || type > limits.frameTypeMax, read.reason);
    }
  },
  /** What a client makes of an answer: the response to its request, or one of these errors. */
  answer(input) {
    const request = create(CheckpointRequestSchema);
    const answer = unlessRefused(() => decodeResponse(request, input), "RPC", "RESPONSE_UNEXPECTED", "DECODE_FAILED");
    assert.ok(answer === undefined || answer.$typeName === "runtara.instance.CheckpointResponse");
  },
};

function chosen(input: Uint8Array): Protocol {
  return protocols[(input[0] ?? 0) % protocols.length] ?? (instanceProtocol as unknown as Protocol);
}

function roundTrip(schema: DescMessage, payload: Uint8Array): void {
  const message = unlessRefused(() => decodeMessage(schema, payload), "DECODE_FAILED");
  if (message === undefined) return;
  const bytes = Uint8Array.from(encodeMessage(schema, message));
  // Views of Buffers are Buffers, which equal no Uint8Array; so both inputs are plain.
  const again = decodeMessage(schema, Uint8Array.from(bytes));
  assert.ok(isDeepStrictEqual(again, message), "decoded, encoded and decoded it is another message");
  assert.ok(Buffer.from(bytes).equals(encodeMessage(schema, again)), "encoded twice it is not the same");
}

function unlessRefused<T>(step: () => T, ...codes: ProtocolErrorCode[]): T | undefined {
  try {
    return step();
  } catch (error) {
    if (error instanceof ProtocolError && codes.includes(error.code)) return undefined;
    throw error;
  }
}
