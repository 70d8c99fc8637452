import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { encodeRequest } from "../envelopes.ts";
import { decodeFrame, decodeFrameHeader, encodeFrame, frameType } from "../frames.ts";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import { limits } from "../limits.ts";
import { QuicServer } from "../server/server.ts";
import { seed } from "../testing/messages.ts";
import { http2Transport } from "../transport/http2/transport.ts";
import { memoryTransport } from "../transport/memory/transport.ts";
import type { Transport, TransportConnection } from "../transport/port.ts";
import { decodeMessage } from "../wire/decode.ts";

// A frame is the same however the network cuts it.

before(() => console.log(`SEED=${seed}`));

const state = Uint8Array.from({ length: 40 }, (_, i) => i);
const checkpoint = create(instance.CheckpointRequestSchema, { instanceId: "i", checkpointId: "c", state });
const frame = encodeFrame(frameType.request, encodeRequest(checkpoint));

test("frame functions: of every part of a frame they say that it is cut off, and what follows it is ignored", () => {
  for (let length = 0; length < frame.length; length++) {
    assert.throws(() => decodeFrame(frame.subarray(0, length)), { code: "FRAME_TRUNCATED" });
    if (length < limits.frameHeaderBytes) {
      assert.throws(() => decodeFrameHeader(frame.subarray(0, length)), { code: "FRAME_TRUNCATED" });
    } else assert.equal(decodeFrameHeader(frame.subarray(0, length)).payloadBytes, frame.length - 6);
  }
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: limits.frameTypeMax }),
      fc.uint8Array(),
      fc.uint8Array(),
      (type, payload, rest) => {
        const decoded = decodeFrame(Buffer.concat([rest, encodeFrame(type, payload), rest]).subarray(rest.length));
        assert.equal(decoded.type, type);
        assert.ok(Buffer.from(payload).equals(decoded.payload));
      },
    ),
    { seed, numRuns: 200 },
  );
});

for (const [name, open] of [
  ["memory", memoryTransport],
  ["HTTP/2", () => http2Transport],
] as const) {
  void describe(`frame splitting over ${name}`, { timeout: 60_000 }, () => {
    let transport: Transport;
    let server: QuicServer;
    let connection: TransportConnection;

    before(async () => {
      transport = open();
      server = await QuicServer.listen({
        transport,
        frameReadTimeoutMs: 10_000,
        onCall(call) {
          assert.ok(call.request.case === "checkpoint");
          call.respond(create(instance.CheckpointResponseSchema, { found: true, state: call.request.value.state }));
        },
      });
      const address = { host: "127.0.0.1", port: server.port, serverName: "localhost" };
      connection = await transport.dial({ ...address, verify: "skip", connectTimeoutMs: 5_000 });
    });
    after(async () => {
      await connection.close();
      await server.close();
    });

    /** Writes the pieces, each as a write of its own, and returns what is answered. */
    async function answerTo(pieces: readonly Uint8Array[]): Promise<Uint8Array> {
      const stream = await connection.openStream();
      for (const piece of pieces) await stream.write(piece);
      // The server stops reading after a whole frame, which may be before this.
      await stream.finish().catch(() => {});
      const chunks: Uint8Array[] = [];
      for (let chunk = await stream.read(); chunk !== undefined; chunk = await stream.read()) chunks.push(chunk);
      stream.reset(0);
      const { response } = decodeMessage(instance.RpcResponseSchema, decodeFrame(Buffer.concat(chunks)).payload);
      assert.ok(response.case === "checkpoint");
      return response.value.state;
    }

    void test("in two at every byte", async () => {
      await Promise.all(
        Array.from({ length: frame.length + 1 }, async (_, at) => {
          assert.deepEqual(Uint8Array.from(await answerTo([frame.subarray(0, at), frame.subarray(at)])), state);
        }),
      );
    });

    void test("in any pieces, single bytes too, with bytes behind the frame", async () => {
      const cuts = fc.array(fc.nat({ max: frame.length }), { maxLength: 8 });
      await fc.assert(
        fc.asyncProperty(cuts, fc.uint8Array({ maxLength: 20 }), async (at, rest) => {
          const bytes = Buffer.concat([frame, rest]);
          const edges = [0, ...at.toSorted((a, b) => a - b), bytes.length];
          const pieces = edges.slice(1).map((end, i) => bytes.subarray(edges[i], end));
          assert.deepEqual(Uint8Array.from(await answerTo(pieces)), state);
        }),
        { seed, numRuns: 50 },
      );
      const single = Array.from(frame, (byte) => Uint8Array.of(byte));
      assert.deepEqual(Uint8Array.from(await answerTo(single)), state);
    });
  });
}
