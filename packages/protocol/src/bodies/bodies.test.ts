import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { QuicClient } from "../client/client.ts";
import { encodeRequest, encodeResponse } from "../envelopes.ts";
import { environmentProtocol } from "../environment/protocol.ts";
import { encodeFrame, frameType } from "../frames.ts";
import * as environment from "../gen/runtara/environment/environment_pb.ts";
import { limits } from "../limits.ts";
import type { ServerCall } from "../server/call.ts";
import { QuicServer } from "../server/server.ts";
import { http2Transport } from "../transport/http2/transport.ts";
import { memoryTransport } from "../transport/memory/transport.ts";
import type { Transport, TransportConnection, TransportStream } from "../transport/port.ts";
import { quicTransport } from "../transport/quic.ts";
import { bodyChunks } from "./body-chunks.ts";
import { downloadStream } from "./download-stream.ts";
import { readableBody } from "./readable-body.ts";
import { uploadStream } from "./upload-stream.ts";
import { writableBody } from "./writable-body.ts";

type Call = ServerCall<environment.RpcRequest, environment.RpcResponse>;

const start = create(environment.RegisterImageStreamStartSchema, { tenantId: "t", name: "n" });
const health = create(environment.HealthCheckRequestSchema);
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const noise = (length: number): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = i * 31 + (i >> 8);
  return bytes;
};
const megabyte = new Uint8Array(1_000_000);
const registered = (imageId: string): Uint8Array =>
  encodeFrame(
    frameType.response,
    encodeResponse(environmentProtocol, create(environment.RegisterImageResponseSchema, { success: true, imageId })),
  );
async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

for (const [name, open] of [
  ["QUIC", () => quicTransport],
  ["memory", memoryTransport],
  ["HTTP/2", () => http2Transport],
] as const) {
  void describe(`bodies over ${name}`, { timeout: 60_000 }, () => {
    let transport: Transport;
    let server: QuicServer<environment.RpcRequest, environment.RpcResponse>;
    let client: QuicClient;
    let raw: TransportConnection;
    let handle: (stream: TransportStream, call: Call) => void | Promise<void>;
    const unexpected: unknown[] = [];

    before(async () => {
      transport = open();
      server = await QuicServer.listen({
        transport,
        protocol: environmentProtocol,
        onCall(call) {
          if (call.request.case === "healthCheck") call.respond(create(environment.HealthCheckResponseSchema));
          else void Promise.resolve(handle(call.stream(), call)).catch((error: unknown) => unexpected.push(error));
        },
      });
      client = QuicClient.localhost({ transport, serverAddr: server.address });
      const address = { host: "127.0.0.1", port: server.port, serverName: "localhost" };
      raw = await transport.dial({ ...address, verify: "skip", connectTimeoutMs: 5_000 });
    });
    after(async () => {
      await raw.close();
      await client.close();
      await server.close();
      assert.deepEqual(unexpected, []);
    });

    /** Both ends of a stream, the request frame already read. */
    async function streamPair(): Promise<{ here: TransportStream; there: TransportStream }> {
      const arrived = Promise.withResolvers<TransportStream>();
      handle = arrived.resolve;
      const here = await raw.openStream();
      await here.write(encodeFrame(frameType.request, encodeRequest(start)));
      return { here, there: await arrived.promise };
    }

    /** Round trips on another stream of the connection until `isSeen`. */
    async function roundTripsUntil(isSeen: () => boolean): Promise<number> {
      let trips = 0;
      for (; !isSeen(); trips++) {
        assert.ok(trips < 100, "the other end has never heard of it");
        await raw.call(frameType.request, encodeRequest(health));
      }
      return trips;
    }

    void test("bytes, count and digest arrive; readers may bring their own buffer", async () => {
      const bytes = noise(700_001);
      const { here, there } = await streamPair();
      const sink = writableBody(here, { expectedBytes: bytes.length, hash: "sha256" });
      const body = readableBody(there, { expectedBytes: BigInt(bytes.length), expectedSha256: sha256(bytes) });
      const sent = new Blob([bytes]).stream().pipeTo(sink);
      const reader = body.getReader({ mode: "byob" });
      const chunks: Uint8Array[] = [];
      for (;;) {
        const { done, value } = await reader.read(new Uint8Array(10_007));
        if (done) break;
        chunks.push(value);
      }
      await sent;
      assert.ok(Buffer.concat(chunks).equals(bytes));
      for (const { bytes: count, sha256: digest } of [sink, body]) {
        assert.deepEqual([count, digest], [bytes.length, sha256(bytes)]);
      }
      await there.finish();
      assert.equal(await here.read(), undefined);
    });

    void test("a chunk belongs to its reader: taking its buffer away leaves the others whole", async () => {
      const { here, there } = await streamPair();
      for (const text of ["first", "second"]) await here.write(Buffer.from(text));
      await here.finish();
      const chunks: Buffer[] = [];
      for await (const chunk of readableBody(there)) {
        chunks.push(Buffer.from(chunk));
        structuredClone(chunk.buffer, { transfer: [chunk.buffer] });
      }
      assert.equal(Buffer.concat(chunks).toString(), "firstsecond");
      there.reset(0);
    });

    void test("chunks without a Web stream: verified as well; who leaves early tells the peer", async () => {
      const bytes = noise(300_000);
      const { here, there } = await streamPair();
      const chunks = bodyChunks(there, { expectedBytes: bytes.length, hash: "sha256", stopCode: 8 });
      await here.write(bytes);
      await here.finish();
      assert.ok((await collect(chunks)).equals(bytes));
      assert.deepEqual([chunks.bytes, chunks.sha256], [bytes.length, sha256(bytes)]);
      await there.write(bytes);
      for await (const chunk of bodyChunks(here, { stopCode: 8 })) {
        assert.ok(chunk.length > 0);
        break;
      }
      await assert.rejects(
        async () => {
          for (;;) await there.write(megabyte);
        },
        { code: "STREAM_RESET", resetCode: 8n },
      );
      const abort = new AbortController();
      const other = await streamPair();
      const rejected = assert.rejects(collect(bodyChunks(other.there, { signal: abort.signal })), {
        code: "CALL_ABORTED",
      });
      abort.abort();
      await rejected;
      other.there.reset(0);
    });

    for (const [what, options, code, message] of [
      ["too short", { expectedBytes: 11 }, "BODY_LENGTH_WRONG", /^Expected 11 bytes, got 10$/],
      ["too long", { expectedBytes: 9 }, "BODY_LENGTH_WRONG", /^Expected 9 bytes, got 10 or more$/],
      ["another digest", { expectedSha256: "0f" }, "BODY_CHECKSUM_WRONG", /^Checksum mismatch: expected 0f, got ffad/],
    ] as const) {
      void test(`refused on either side: ${what}`, async () => {
        const { here, there } = await streamPair();
        await here.write(Buffer.alloc(10, 1));
        await here.finish();
        await assert.rejects(collect(readableBody(there, options)), { name: "ProtocolError", code, message });
        // The writer resets instead of ending, so that nobody takes the body for whole.
        const body = collect(readableBody(here));
        const rejected = assert.rejects(body, { code: "STREAM_RESET", resetCode: 9n });
        const writer = writableBody(there, { ...options, resetCode: 9 }).getWriter();
        writer.closed.catch(() => {});
        const written = (async () => {
          await writer.write(Buffer.alloc(10, 1));
          await writer.close();
        })();
        await assert.rejects(written, { name: "ProtocolError", code, message });
        await rejected;
      });
    }

    const mebibytes = name === "HTTP/2" ? 64 : 256;
    void test(`back-pressure: of ${mebibytes} MiB few are under way, however slow the reader`, async () => {
      const total = mebibytes * 1_048_576;
      const { here, there } = await streamPair();
      const sink = writableBody(here);
      let taken = 0;
      let mostUnderWay = 0;
      const body = readableBody(there, { expectedBytes: total });
      const piece = new Uint8Array(65_536);
      const source = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            if (taken === total) return controller.close();
            taken += piece.length;
            mostUnderWay = Math.max(mostUnderWay, taken - body.bytes);
            controller.enqueue(piece);
          },
        },
        { highWaterMark: 0 },
      );
      const sent = source.pipeTo(sink);
      let nextPause = 0;
      for await (const chunk of body) {
        assert.ok(chunk.length > 0);
        if (body.bytes < nextPause) continue;
        nextPause += total / 8;
        // A pause as long as the writer gets further, at least some round trips.
        for (let before = -1, i = 0; i < 5 || before !== taken; i++) {
          before = taken;
          await raw.call(frameType.request, encodeRequest(health));
        }
      }
      await sent;
      // 1 MiB unread, 1 MiB unsent, the network's own windows on both sides, and pieces in hand.
      const bound = name === "memory" ? 2_097_152 : 8_388_608;
      assert.ok(mostUnderWay <= bound, `${mostUnderWay} bytes were under way`);
      assert.ok(mostUnderWay >= limits.memoryUnreadBytesMax / 2, "the writer never ran ahead, so nothing was tested");
      there.reset(0);
    });

    void test("abort and cancel reach the other end within a round trip, with their code", async () => {
      for (const [code, give] of [
        [21n, (sink: WritableStream) => sink.abort()],
        [22n, (_: unknown, abort: AbortController) => abort.abort("enough")],
      ] as const) {
        const { here, there } = await streamPair();
        const abort = new AbortController();
        const sink = writableBody(here, { signal: abort.signal, resetCode: Number(code) });
        let seen: unknown;
        void collect(readableBody(there)).catch((error: unknown) => {
          seen = error;
        });
        const writer = sink.getWriter();
        writer.closed.catch(() => {});
        await writer.write(noise(100));
        writer.releaseLock();
        await give(sink, abort);
        // The reset leaves first; a second trip because the reader's microtasks may come after the answer.
        assert.ok((await roundTripsUntil(() => seen !== undefined)) <= 2);
        assert.deepEqual(
          [(seen as { code: string }).code, (seen as { resetCode: bigint }).resetCode],
          ["STREAM_RESET", code],
        );
      }
      for (const [code, give] of [
        [23n, (body: ReadableStream) => body.cancel()],
        [24n, (_: unknown, abort: AbortController) => abort.abort("enough")],
      ] as const) {
        const { here, there } = await streamPair();
        // As in a download; HTTP/2 can tell of a stop only once its own side has finished.
        await here.finish();
        const abort = new AbortController();
        const body = readableBody(here, { signal: abort.signal, stopCode: Number(code) });
        let seen: unknown;
        void (async () => {
          for (;;) await there.write(megabyte);
        })().catch((error: unknown) => {
          seen = error;
        });
        await give(body, abort);
        if (code === 24n) await assert.rejects(collect(body), { code: "CALL_ABORTED", cause: "enough" });
        assert.ok((await roundTripsUntil(() => seen !== undefined)) <= 2);
        assert.deepEqual(
          [(seen as { code: string }).code, (seen as { resetCode: bigint }).resetCode],
          ["STREAM_RESET", code],
        );
      }
    });

    void test("a peer that makes no progress is given up", async () => {
      const { here, there } = await streamPair();
      const reading = collect(readableBody(there, { progressTimeoutMs: 60, stopCode: 5 }));
      await here.write(Buffer.from("."));
      await assert.rejects(reading, { code: "CALL_TIMEOUT", message: /no progress for 60 ms/ });
      // HTTP/2 tells of a stop when this side has finished.
      await there.finish();
      await assert.rejects(
        async () => {
          for (;;) await here.write(megabyte);
        },
        { code: "STREAM_RESET", resetCode: 5n },
      );
      const answering = await streamPair();
      const writer = writableBody(answering.there, { progressTimeoutMs: 60, resetCode: 6 }).getWriter();
      writer.closed.catch(() => {});
      await assert.rejects(writer.write(new Uint8Array(30_000_000)), { code: "CALL_TIMEOUT" });
      await assert.rejects(collect(readableBody(answering.here)), { code: "STREAM_RESET", resetCode: 6n });
    });

    void test("options that cannot be meant, and signals that are aborted already", async () => {
      const { here, there } = await streamPair();
      for (const options of [{ expectedBytes: -1 }, { expectedBytes: 0.5 }, { progressTimeoutMs: Number.NaN }]) {
        assert.throws(() => readableBody(there, options), { code: "OPTION_INVALID" });
        assert.throws(() => writableBody(there, options), { code: "OPTION_INVALID" });
        await assert.rejects(uploadStream(client, start, noise(1), options), { code: "OPTION_INVALID" });
      }
      const signal = AbortSignal.abort("no");
      assert.throws(() => readableBody(there, { signal }), { code: "CALL_ABORTED", cause: "no" });
      await assert.rejects(uploadStream(client, start, noise(1), { signal }), { code: "CALL_ABORTED", cause: "no" });
      await assert.rejects(downloadStream(client, start, { signal }), { code: "CALL_ABORTED", cause: "no" });
      there.reset(0);
      here.reset(0);
      here.stop(0);
      there.stop(0);
    });

    void test("upload: every kind of body, with progress; the answer is typed", async () => {
      handle = async (stream) => {
        const body = readableBody(stream, { hash: "sha256" });
        await collect(body);
        await stream.write(registered(`${body.bytes} ${body.sha256}`));
        await stream.finish();
      };
      const bytes = noise(1_000_003);
      const bodies = {
        bytes,
        blob: new Blob([bytes]),
        stream: new Blob([bytes]).stream(),
        iterable: (async function* () {
          for (let at = 0; at < bytes.length; at += 300_000) yield bytes.subarray(at, at + 300_000);
        })(),
      };
      for (const [kind, body] of Object.entries(bodies)) {
        const steps: number[] = [];
        const answer = await uploadStream(client, start, body, {
          expectedBytes: bytes.length,
          expectedSha256: sha256(bytes),
          onProgress: (sent) => steps.push(sent),
          timeoutMs: 60_000,
          progressTimeoutMs: 60_000,
        });
        assert.equal(answer.imageId, `${bytes.length} ${sha256(bytes)}`, kind);
        assert.equal(steps.at(-1), bytes.length);
        assert.ok(steps.length >= 4 && steps.every((step, i) => step > (steps[i - 1] ?? 0)), `${kind}: ${steps}`);
      }
      assert.equal((await uploadStream(client, start, new Uint8Array())).imageId, `0 ${sha256(new Uint8Array())}`);
    });

    void test("upload: an early answer ends it, though the body goes on for ever", async () => {
      let cancelled: unknown = "not yet";
      const endless = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(50_000)),
        cancel(reason) {
          cancelled = reason;
        },
      });
      handle = async (stream) => {
        await stream.read();
        stream.stop(0);
        await stream.write(registered("early"));
        await stream.finish();
      };
      assert.equal((await uploadStream(client, start, endless)).imageId, "early");
      assert.equal(cancelled, undefined);
      // Also when the source has nothing to say.
      const silent = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(noise(1)),
        cancel() {
          cancelled = "silent";
        },
      });
      assert.equal((await uploadStream(client, start, silent)).imageId, "early");
      assert.equal(cancelled, "silent");
      handle = (stream) => {
        stream.stop(3);
        stream.reset(4);
      };
      await assert.rejects(uploadStream(client, start, noise(3_000_000)), { code: "STREAM_RESET" });
    });

    void test("upload: what breaks it off reaches the server as a reset, and the body as a cancel", async () => {
      const seen: unknown[] = [];
      // A reset drops what has not left yet, so each body waits until the server has its first piece.
      let arrived = Promise.withResolvers<void>();
      handle = async (stream) => {
        await stream.read();
        arrived.resolve();
        await collect(readableBody(stream)).catch((error: unknown) => seen.push(error));
        stream.reset(0);
      };
      async function* piecesThen(end: () => unknown): AsyncGenerator<Uint8Array> {
        yield noise(10);
        await arrived.promise;
        arrived = Promise.withResolvers();
        yield end() as Uint8Array;
      }
      const abort = new AbortController();
      const never = new Promise<never>(() => {});
      const aborted = piecesThen(() => abort.abort("stop") ?? never);
      const broken = piecesThen(() => assert.fail("disk gone"));
      const short = piecesThen(() => noise(1));
      const text = piecesThen(() => "text");
      const resetCode = 7;
      const { signal } = abort;
      for (const [body, options, expected] of [
        [aborted, { signal }, { code: "CALL_ABORTED", cause: "stop" }],
        [broken, {}, { code: "CALL_ABORTED", message: /the body broke off after 10 bytes: .*disk gone$/ }],
        [short, { expectedBytes: 12 }, { code: "BODY_LENGTH_WRONG", message: "Expected 12 bytes, got 11" }],
        [text, {}, { code: "ENCODE_FAILED", message: /must be Uint8Array, got string/ }],
      ] as const) {
        const trips = seen.length + 1;
        await assert.rejects(uploadStream(client, start, body, { ...options, resetCode }), expected);
        await roundTripsUntil(() => seen.length === trips);
      }
      for (const error of seen) assert.equal((error as { resetCode: bigint }).resetCode, 7n);
    });

    void test("upload: a server that reads nothing or answers nothing is given up", async () => {
      handle = () => {};
      const big = new Uint8Array(30_000_000);
      await assert.rejects(uploadStream(client, start, big, { progressTimeoutMs: 50 }), { code: "CALL_TIMEOUT" });
      handle = async (stream) => {
        await collect(readableBody(stream));
      };
      await assert.rejects(uploadStream(client, start, noise(10), { timeoutMs: 50 }), {
        code: "CALL_TIMEOUT",
        message: /no answer within 50 ms/,
      });
    });

    void test("download: an answer and the bytes after it", async () => {
      const bytes = noise(2_000_000);
      handle = async (stream) => {
        await stream.write(Buffer.concat([registered("with bytes"), bytes.subarray(0, 1_000)]));
        const writer = writableBody(stream).getWriter();
        await writer.write(bytes.subarray(1_000));
        await writer.close();
      };
      const { answer, body } = await downloadStream(client, start, { expectedSha256: sha256(bytes) });
      assert.equal(answer.imageId, "with bytes");
      assert.ok((await collect(body)).equals(bytes));
      handle = () => {};
      await assert.rejects(downloadStream(client, start, { progressTimeoutMs: 50 }), { code: "CALL_TIMEOUT" });
    });
  });
}
