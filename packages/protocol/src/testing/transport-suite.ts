import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { QuicClient } from "../client/client.ts";
import { sendRequest } from "../client/send-request.ts";
import { encodeRequest } from "../envelopes.ts";
import { encodeFrame, frameType } from "../frames.ts";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import { limits } from "../limits.ts";
import type { ServerCall } from "../server/call.ts";
import { QuicServer } from "../server/server.ts";
import type { Transport, TransportConnection, TransportStream } from "../transport/port.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
const checkpoint = (state: Uint8Array): instance.CheckpointRequest =>
  create(instance.CheckpointRequestSchema, { instanceId: "i", checkpointId: "c", state });
const ack = create(instance.SignalAckSchema, { instanceId: "i", acknowledged: true });
const saved = (state: Uint8Array): instance.CheckpointResponse =>
  create(instance.CheckpointResponseSchema, { found: true, state });

async function readAll(stream: TransportStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for (let chunk = await stream.read(); chunk !== undefined; chunk = await stream.read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What every transport promises to client and server; each one runs it. */
export function describeTransport(name: string, open: () => Transport): void {
  void describe(`transport: ${name}`, () => {
    let transport: Transport;
    let server: QuicServer;
    let client: QuicClient;
    let raw: TransportConnection;
    let handle: (call: ServerCall) => void;
    let onDrained: () => void = () => {};
    const ends: { by: string; code: bigint; reason: string }[] = [];
    let onEnd: () => void = () => {};

    before(async () => {
      transport = open();
      server = await QuicServer.listen({
        transport,
        frameReadTimeoutMs: 100,
        maxBiStreams: 20,
        onCall: (call) => handle(call),
        onDrained: () => onDrained(),
        onConnectionClosed(_, why) {
          ends.push(why);
          onEnd();
        },
      });
      client = newClient();
      raw = await dial();
    });
    after(async () => {
      await raw.close();
      await client.close();
      await server.close();
    });

    const newClient = (): QuicClient => QuicClient.localhost({ transport, serverAddr: server.address });
    const dial = (): Promise<TransportConnection> =>
      transport.dial({
        host: "127.0.0.1",
        port: server.port,
        serverName: "localhost",
        verify: "skip",
        connectTimeoutMs: 5_000,
      });
    const echo = (call: ServerCall): void => {
      assert.ok(call.request.case === "checkpoint");
      call.respond(saved(call.request.value.state));
    };
    async function stillAnswers(): Promise<void> {
      handle = echo;
      const frame = await raw.call(frameType.request, encodeRequest(checkpoint(hex("07"))));
      assert.equal(frame.type, frameType.response);
    }
    async function exchange(bytes: Uint8Array, fin: boolean): Promise<Buffer> {
      const stream = await raw.openStream();
      await stream.write(bytes);
      if (fin) await stream.finish().catch(() => undefined);
      const all = await readAll(stream);
      stream.reset(0);
      return all;
    }

    void test("unary: small, empty and large frames come back as they went", async () => {
      handle = echo;
      for (const size of [0, 1, 70_000, 3_000_000]) {
        const state = new Uint8Array(size).fill(size % 251);
        const answer = await sendRequest(client, checkpoint(state));
        assert.ok(Buffer.from(answer.state).equals(state), `${size} bytes`);
      }
    });

    void test("many calls at once, more than the server allows streams, answered in any order and in batches", async () => {
      const waiting: ServerCall[] = [];
      let drains = 0;
      handle = (call) => waiting.push(call);
      onDrained = () => {
        drains++;
        for (const call of waiting.splice(0).reverse()) echo(call);
      };
      const states = Array.from({ length: 500 }, (_, i) => Buffer.from(`state ${i}`));
      const answers = await Promise.all(states.map((state) => sendRequest(client, checkpoint(state))));
      onDrained = () => {};
      for (const [i, answer] of answers.entries()) assert.equal(Buffer.from(answer.state).toString(), `state ${i}`);
      assert.ok(drains > 0 && drains < 500, `${drains} drains`);
    });

    void test("errors and silent closes end one call", async () => {
      handle = (call) => call.respondError("CHECKPOINT_ERROR", "no");
      await assert.rejects(sendRequest(client, checkpoint(hex("01"))), { code: "RPC", rpcCode: "CHECKPOINT_ERROR" });
      handle = (call) => call.finish();
      await assert.rejects(sendRequest(client, checkpoint(hex("01"))), { code: "STREAM_ENDED" });
      await stillAnswers();
    });

    void test("fire-and-forget: resolves with the server's end, which comes after its handler", async () => {
      let isHandled = false;
      handle = (call) => {
        isHandled = true;
        call.finish();
      };
      assert.equal(await sendRequest(client, ack), undefined);
      assert.equal(isHandled, true);
      isHandled = false;
      await raw.send(frameType.request, encodeRequest(ack));
      assert.equal(isHandled, true);
    });

    for (const [what, bytes, fin] of [
      ["unknown type, before the length is looked at", "ffffffff 0007", false],
      ["length over the limit", "04000001 0001", false],
      ["end inside the header", "000000", true],
      ["end inside the payload", "00000003 0001 0102", true],
    ] as const) {
      void test(`abnormal frame, silent close: ${what}`, async () => {
        handle = () => assert.fail("nothing should arrive");
        assert.equal((await exchange(hex(bytes), fin)).length, 0);
        await stillAnswers();
      });
    }

    void test("abnormal frame: one that stalls is answered BAD_REQUEST, and what follows a frame is ignored", async () => {
      handle = () => assert.fail("nothing should arrive");
      assert.match((await exchange(hex("00000010 0001 4207"), false)).toString(), /BAD_REQUEST/);
      handle = echo;
      const frame = encodeFrame(frameType.request, encodeRequest(checkpoint(hex("01"))));
      const twice = await exchange(Buffer.concat([frame, frame]), true);
      assert.equal(twice.subarray(6).length, twice.readUInt32BE(0));
    });

    void test("too large or of no type: refused before anything is sent", async () => {
      handle = () => assert.fail("nothing should arrive");
      const tooLarge = new Uint8Array(limits.framePayloadBytesMax + 1);
      await assert.rejects(raw.call(1, tooLarge), { name: "QuicError", code: "FRAME_TOO_LARGE" });
      await assert.rejects(raw.call(7, hex("00")), { name: "QuicError", code: "FRAME_TYPE_INVALID" });
      await stillAnswers();
    });

    void test("streams carry bytes both ways after the frame, in order", async () => {
      handle = (call) => void copy(call.stream());
      const stream = await raw.openStream();
      await stream.write(encodeFrame(frameType.request, encodeRequest(ack)));
      const sent = Buffer.from(Uint8Array.from({ length: 2_500_000 }, (_, i) => i % 253));
      const received = readAll(stream);
      await stream.write(sent);
      await stream.finish();
      assert.ok((await received).equals(sent));
    });

    void test("back-pressure: a writer waits for a reader who does not read", async () => {
      const opened = Promise.withResolvers<TransportStream>();
      handle = (call) => opened.resolve(call.stream());
      const stream = await raw.openStream();
      await stream.write(encodeFrame(frameType.request, encodeRequest(ack)));
      const reader = await opened.promise;
      const piece = new Uint8Array(262_144);
      let writtenBytes = 0;
      const total = 64 * piece.length;
      const writing = (async () => {
        for (; writtenBytes < total; writtenBytes += piece.length) await stream.write(piece);
        await stream.finish();
      })();
      // Calls beside it go on; each one is at least one round trip in which the writer could run ahead.
      for (let i = 0; i < 50; i++) await stillAnswers();
      assert.ok(writtenBytes < total / 2, `${writtenBytes} bytes were taken without a reader`);
      assert.equal((await readAll(reader)).length, total);
      await writing;
      await reader.finish();
      assert.equal(await stream.read(), undefined);
    });

    void test("reset and stop: the other end sees the code", async () => {
      const opened = Promise.withResolvers<TransportStream>();
      handle = (call) => opened.resolve(call.stream());
      const stream = await raw.openStream();
      await stream.write(encodeFrame(frameType.request, encodeRequest(ack)));
      const reader = await opened.promise;
      stream.reset(5);
      await assert.rejects(readAll(reader), { code: "STREAM_RESET", resetCode: 5n });
      stream.stop(6);
      await assert.rejects(
        async () => {
          for (;;) await reader.write(new Uint8Array(65_536));
        },
        { code: "STREAM_RESET", resetCode: 6n },
      );
      await stillAnswers();
    });

    void test("abort and deadline end one call; the server is told and the connection lives", async () => {
      for (const how of ["abort", "deadline"]) {
        const told = Promise.withResolvers<void>();
        const arrived = Promise.withResolvers<void>();
        handle = (call) => {
          call.onAborted = () => {
            call.finish();
            told.resolve();
          };
          arrived.resolve();
        };
        const abort = new AbortController();
        const options = how === "abort" ? { signal: abort.signal } : { timeoutMs: 50 };
        const call = sendRequest(client, checkpoint(hex("01")), options);
        const rejected = assert.rejects(call, { code: how === "abort" ? "CALL_ABORTED" : "CALL_TIMEOUT" });
        const connection = await client.connect();
        await arrived.promise;
        abort.abort();
        await rejected;
        await told.promise;
        assert.equal(await client.connect(), connection);
      }
      await stillAnswers();
    });

    void test("close codes: each end learns the other's, calls under way fail with it", async () => {
      const ended = Promise.withResolvers<void>();
      onEnd = ended.resolve;
      const connection = await dial();
      const arrived = Promise.withResolvers<ServerCall>();
      handle = (call) => arrived.resolve(call);
      const cutOff = connection.call(1, encodeRequest(ack));
      const rejected = assert.rejects(cutOff, { code: "CONNECTION_CLOSED", closeCode: 9n, closeReason: "enough" });
      await arrived.promise;
      await connection.close(9, "enough");
      await rejected;
      await ended.promise;
      const why = ends.at(-1);
      assert.deepEqual([why?.by, why?.code, why?.reason], ["peer", 9n, "enough"]);
      assert.equal(connection.isOpen, false);
      await assert.rejects(connection.openStream(), { code: "CONNECTION_CLOSED" });

      const second = await dial();
      handle = (call) => call.connection.close(7, "no more");
      await assert.rejects(second.call(1, encodeRequest(ack)), { code: "CONNECTION_CLOSED", closeCode: 7n });
      const seen = await second.closed;
      assert.deepEqual([seen.by, seen.code, seen.reason], ["peer", 7n, "no more"]);
      onEnd = () => {};
      await stillAnswers();
    });

    void test("a port in use is refused; a closed server says so and its port is free again", async () => {
      const first = await QuicServer.listen({ transport, onCall: (call) => call.finish() });
      const again = { transport, bindAddr: first.address };
      await assert.rejects(QuicServer.listen(again), { code: "BIND_FAILED" });
      await using other = QuicClient.localhost({ transport, serverAddr: first.address });
      const connection = await other.connect();
      await first.close();
      const why = await connection.closed;
      assert.deepEqual([why.by, why.code, why.reason], ["peer", 0n, "server closing"]);
      await using second = await QuicServer.listen({ ...again, onCall: (call) => call.finish() });
      assert.equal(await sendRequest(other, ack), undefined);
      assert.equal(second.stats().connections, 1);
    });
  });
}

async function copy(stream: TransportStream): Promise<void> {
  for (let chunk = await stream.read(); chunk !== undefined; chunk = await stream.read()) await stream.write(chunk);
  await stream.finish();
}
