import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { type IncomingCall, listen, type QuicListener } from "@runtara/quic";
import { ProtocolError, type ProtocolErrorCode } from "../errors.ts";
import { CheckpointRequestSchema, SignalAckSchema } from "../gen/runtara/instance/instance_pb.ts";
import { hex } from "../testing/raw-stream.ts";
import { QuicClient } from "./client.ts";
import { sendRequest } from "./send-request.ts";

// What the client makes of servers that answer strangely. The server is one of raw streams.

let listener: QuicListener;
let client: QuicClient;
let answer: (call: IncomingCall) => void;
const checkpoint = create(CheckpointRequestSchema, { instanceId: "i" });

before(async () => {
  const options = { host: "127.0.0.1", port: 0, certificate: "self-signed" } as const;
  listener = await listen(options, { onCall: (call) => answer(call) });
  client = QuicClient.localhost({ serverAddr: `127.0.0.1:${listener.port}` });
});
after(async () => {
  await client.close();
  await listener.close();
});

function answerRaw(bytes: string): (call: IncomingCall) => void {
  return (call) => {
    const stream = call.stream();
    void stream.write(hex(bytes)).then(() => stream.finish());
  };
}

const odd: [name: string, answer: (call: IncomingCall) => void, code: ProtocolErrorCode, text: RegExp][] = [
  ["unknown type", answerRaw("00000002 0007 4200"), "FRAME_TYPE_INVALID", /^frame error: invalid message type: 7$/],
  ["too large", answerRaw("04000001 0002"), "FRAME_TOO_LARGE", /^frame error: frame too large: 67108865 bytes/],
  ["cut off in the header", answerRaw("000000"), "STREAM_ENDED", /^frame error: /],
  ["cut off in the payload", answerRaw("00000002 0002 42"), "STREAM_ENDED", /^frame error: /],
  ["nothing", (call) => call.finish(), "STREAM_ENDED", /^frame error: connection closed/],
  ["reset", (call) => call.reset(5), "STREAM_RESET", /^frame error: IO error: /],
  ["no Protobuf", answerRaw("00000003 0002 42050a"), "DECODE_FAILED", /^protobuf decode error: /],
  ["no known answer", answerRaw("00000000 0002"), "RESPONSE_UNEXPECTED", /no known answer/],
  ["the error type without a payload", answerRaw("00000000 0006"), "RESPONSE_UNEXPECTED", /no known answer/],
  ["another call's answer", answerRaw("00000002 0002 2200"), "RESPONSE_UNEXPECTED", /got "sleep"/],
];
for (const [name, how, code, text] of odd) {
  test(`refused: ${name}`, async () => {
    answer = how;
    await assert.rejects(sendRequest(client, checkpoint), (error) => {
      assert.ok(error instanceof ProtocolError, String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, text);
      return true;
    });
  });
}

for (const type of [1, 2, 3, 4, 5, 6]) {
  test(`an answer in a frame of type ${type} is taken`, async () => {
    answer = (call) => call.respond(type, hex("4205 0801 120173"));
    const found = await sendRequest(client, checkpoint);
    assert.equal(found.found, true);
    assert.equal(Buffer.from(found.state).toString(), "s");
  });
}

test("an RpcError in a frame of type 6 is an RpcError", async () => {
  answer = (call) => call.respond(6, hex("7a 06 0a0141 120162"));
  await assert.rejects(sendRequest(client, checkpoint), { code: "RPC", rpcCode: "A", message: "b" });
});

test("bytes after the answer and an end that never comes are ignored", async () => {
  answer = (call) => void call.stream().write(hex("00000002 0002 4200 ff"));
  assert.equal((await sendRequest(client, checkpoint)).found, false);
});

test("a call without an answer: any answer will do, an error is heard", async () => {
  const ack = create(SignalAckSchema, { instanceId: "i" });
  answer = (call) => call.respond(2, hex("4200"));
  assert.equal(await sendRequest(client, ack), undefined);
  answer = (call) => call.respond(2, hex("7a 06 0a0141 120162"));
  await assert.rejects(sendRequest(client, ack), { code: "RPC", rpcCode: "A" });
});
