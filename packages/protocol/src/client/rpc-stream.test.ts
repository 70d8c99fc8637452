import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { encodeResponse } from "../envelopes.ts";
import { environmentProtocol } from "../environment/protocol.ts";
import { encodeFrame, frameType } from "../frames.ts";
import * as environment from "../gen/runtara/environment/environment_pb.ts";
import type { ServerCall } from "../server/call.ts";
import { QuicServer } from "../server/server.ts";
import { QuicClient } from "./client.ts";
import { openStream } from "./rpc-stream.ts";

type Call = ServerCall<environment.RpcRequest, environment.RpcResponse>;
type Server = QuicServer<environment.RpcRequest, environment.RpcResponse>;

let server: Server;
let client: QuicClient;
before(async () => {
  server = await QuicServer.listen({
    protocol: environmentProtocol,
    onCall: (call) => void (call.request.case === "registerImageStream" ? takeUpload(call) : sendDownload(call)),
  });
  client = QuicClient.localhost({ serverAddr: server.address });
});
after(async () => {
  await client.close();
  await server.close();
});

/** Answers with the hash of what was uploaded as the image id. */
async function takeUpload(call: Call): Promise<void> {
  const stream = call.stream();
  const hash = createHash("sha256");
  for (let chunk = await stream.read(); chunk !== undefined; chunk = await stream.read()) hash.update(chunk);
  const message = create(environment.RegisterImageResponseSchema, { success: true, imageId: hash.digest("hex") });
  await stream.write(encodeFrame(frameType.response, encodeResponse(environmentProtocol, message)));
  await stream.finish();
}

/** Answers with an empty message, then the asked number of zero bytes; -1 = half a frame, -2 = nothing. */
async function sendDownload(call: Call): Promise<void> {
  assert.ok(call.request.case === "getImage");
  const size = Number(call.request.value.imageId);
  const stream = call.stream();
  const message = create(environment.GetImageResponseSchema, { found: true });
  const frame = encodeFrame(frameType.response, encodeResponse(environmentProtocol, message));
  if (size === -1) await stream.write(frame.subarray(0, 7));
  if (size >= 0) await stream.write(Buffer.concat([frame, new Uint8Array(Math.min(size, 10))]));
  if (size > 10) await stream.write(new Uint8Array(size - 10));
  await stream.finish();
}

const download = (size: number): environment.GetImageRequest =>
  create(environment.GetImageRequestSchema, { imageId: String(size) });

test("upload: a request frame, raw bytes, then the answer", async () => {
  const start = create(environment.RegisterImageStreamStartSchema, { tenantId: "t", name: "n" });
  const upload = await openStream(client, start);
  const hash = createHash("sha256");
  for (let i = 0; i < 48; i++) {
    const chunk = new Uint8Array(65_536).fill(i);
    hash.update(chunk);
    await upload.write(chunk);
  }
  await upload.finish();
  const answer: environment.RegisterImageResponse = await upload.readResponse();
  assert.equal(answer.imageId, hash.digest("hex"));
});

for (const size of [0, 5, 10, 3_000_000]) {
  test(`download: the answer, then ${size} raw bytes`, async () => {
    const stream = await openStream(client, download(size));
    await stream.finish();
    assert.equal((await stream.readResponse()).found, true);
    let received = 0;
    for (let chunk = await stream.read(); chunk !== undefined; chunk = await stream.read()) received += chunk.length;
    assert.equal(received, size);
  });
}

test("a stream that ends inside or before the answer", async () => {
  const half = await openStream(client, download(-1));
  await assert.rejects(half.readResponse(), { name: "ProtocolError", code: "FRAME_TRUNCATED" });
  const none = await openStream(client, download(-2));
  await assert.rejects(none.readResponse(), { name: "ProtocolError", code: "STREAM_ENDED" });
  half.abandon();
  none.abandon();
});
