import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { type CertificatePair, certificateFingerprint, generateCertificate, QuicError } from "@runtara/quic";
import { QuicClient } from "../client/client.ts";
import { sendRequest } from "../client/send-request.ts";
import { encodeRequest } from "../envelopes.ts";
import { encodeFrame, frameType } from "../frames.ts";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import { limits } from "../limits.ts";
import type { ServerCall } from "../server/call.ts";
import { QuicServer } from "../server/server.ts";
import type { DialOptions, Transport, TransportConnection, TransportStream } from "../transport/port.ts";

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

export interface TransportTraits {
  /** A reset ends both directions of a stream (HTTP/2). */
  readonly resetsBoth?: boolean;
  /** There is no TLS, so that certificates are taken at their word (memory). */
  readonly isPlain?: boolean;
}

/** What every transport promises to client and server; each one runs it. */
export function describeTransport(name: string, open: () => Transport, traits: TransportTraits = {}): void {
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
    const dial = (options: Partial<DialOptions> = {}): Promise<TransportConnection> =>
      transport.dial({
        host: "127.0.0.1",
        port: server.port,
        serverName: "localhost",
        verify: "skip",
        connectTimeoutMs: 20_000,
        ...options,
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
      // 1 MiB unread there, about as much on the way, and 1 MiB unsent here.
      assert.ok(writtenBytes < 4_194_304, `${writtenBytes} bytes were taken without a reader`);
      assert.equal((await readAll(reader)).length, total);
      await writing;
      await reader.finish();
      assert.equal(await stream.read(), undefined);
    });

    /** A stream of the client and the server's end of it. */
    async function streamPair(): Promise<[client: TransportStream, server: TransportStream]> {
      const opened = Promise.withResolvers<TransportStream>();
      handle = (call) => opened.resolve(call.stream());
      const stream = await raw.openStream();
      await stream.write(encodeFrame(frameType.request, encodeRequest(ack)));
      return [stream, await opened.promise];
    }
    const writeOn = async (stream: TransportStream): Promise<void> => {
      for (;;) await stream.write(new Uint8Array(65_536));
    };

    void test("reset: the reader at the other end sees the code, and never an end", async () => {
      for (const isUnread of [false, true]) {
        const [stream, reader] = await streamPair();
        if (isUnread) await stream.write(new Uint8Array(500_000));
        stream.reset(5);
        await assert.rejects(readAll(reader), { code: "STREAM_RESET", resetCode: 5n });
        await assert.rejects(stream.write(hex("00")), { code: "CALL_FINISHED" });
        stream.stop(0);
        reader.reset(0);
      }
      const [stream, writer] = await streamPair();
      await writer.write(new Uint8Array(1_000));
      assert.equal((await stream.read())?.length, 1_000);
      writer.reset(1_234_567_890);
      await assert.rejects(readAll(stream), { code: "STREAM_RESET", resetCode: 1_234_567_890n });
      await stillAnswers();
    });

    void test("stop: the writer at the other end sees the code", async () => {
      const [stream, writer] = await streamPair();
      await stream.finish();
      stream.stop(6);
      await assert.rejects(writeOn(writer), { code: "STREAM_RESET", resetCode: 6n });
      assert.equal(await stream.read(), undefined);
      await stillAnswers();
    });

    void test("stop while one's own side is still written: the other end sees it within one round trip", async () => {
      for (const who of ["client", "server"]) {
        for (const code of [0, 7]) {
          const [client, server] = await streamPair();
          const [reader, writer] = who === "client" ? [client, server] : [server, client];
          let seen: unknown;
          const writing = writeOn(writer).catch((error: unknown) => {
            seen = error;
          });
          assert.ok(((await reader.read())?.length ?? 0) > 0);
          reader.stop(code);
          assert.equal(await reader.read(), undefined);
          await stillAnswers();
          await writing;
          assert.ok(seen instanceof QuicError);
          assert.deepEqual([seen.code, seen.resetCode], ["STREAM_RESET", BigInt(code)]);
          // The other direction goes on.
          const received = readAll(writer);
          await reader.write(new Uint8Array(2_500_000).fill(3));
          await reader.finish();
          assert.equal((await received).length, 2_500_000);
          await assert.rejects(writer.finish(), { code: "STREAM_RESET" });
          await stillAnswers();
        }
      }
    });

    void test("a server that answers early stops the client's upload; the answer is whole", async () => {
      const [stream, server] = await streamPair();
      const writing = assert.rejects(writeOn(stream), { code: "STREAM_RESET", resetCode: 0n });
      server.stop(0);
      await server.write(new Uint8Array(70_000).fill(1));
      await server.finish();
      assert.equal((await readAll(stream)).length, 70_000);
      await writing;
      stream.reset(0);
      await stillAnswers();
    });

    if (!traits.resetsBoth) {
      void test("reset and stop each end one direction, with a code of their own", async () => {
        const [stream, reader] = await streamPair();
        stream.reset(5);
        await assert.rejects(readAll(reader), { code: "STREAM_RESET", resetCode: 5n });
        stream.stop(6);
        await assert.rejects(writeOn(reader), { code: "STREAM_RESET", resetCode: 6n });
        await stillAnswers();
      });
    }

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

    void test("an abort is seen by the other side within one round trip", async () => {
      for (let round = 0; round < 20; round++) {
        let isTold = false;
        const arrived = Promise.withResolvers<void>();
        handle = (call) => {
          call.onAborted = () => {
            isTold = true;
            call.finish();
          };
          arrived.resolve();
        };
        const abort = new AbortController();
        const call = raw.call(frameType.request, encodeRequest(checkpoint(hex("01"))), { signal: abort.signal });
        const rejected = assert.rejects(call, { code: "CALL_ABORTED" });
        await arrived.promise;
        // Watching has reached the network before the abort leaves.
        await stillAnswers();
        abort.abort();
        await stillAnswers();
        assert.equal(isTold, true, `round ${round}`);
        await rejected;
      }
    });

    void test("frames of 64 MiB there and back; one byte more is refused", async () => {
      // With the usual time for a frame to go on: so many bytes may rest for a while on a busy machine.
      const roomy = await QuicServer.listen({ transport, onCall: echo });
      const large = QuicClient.localhost({ transport, serverAddr: roomy.address });
      const overhead = encodeRequest(checkpoint(new Uint8Array(67_000_000))).length - 67_000_000;
      const state = new Uint8Array(limits.framePayloadBytesMax - overhead).fill(7);
      const answer = await sendRequest(large, checkpoint(state));
      assert.ok(Buffer.from(answer.state).equals(state));
      const larger = checkpoint(new Uint8Array(state.length + 1));
      await assert.rejects(sendRequest(large, larger), { code: "FRAME_TOO_LARGE" });
      await large.close();
      await roomy.close();
    });

    void test("calls over the stream limit wait, and can be given up meanwhile", async () => {
      const connection = await dial();
      const kept: ServerCall[] = [];
      const full = Promise.withResolvers<void>();
      handle = (call) => {
        if (kept.push(call) === 20) full.resolve();
      };
      const call = (options = {}): Promise<unknown> =>
        connection.call(frameType.request, encodeRequest(checkpoint(hex("01"))), options);
      const open = Array.from({ length: 20 }, () => call());
      await full.promise;
      const waiting = call();
      await assert.rejects(call({ timeoutMs: 30 }), { code: "CALL_TIMEOUT" });
      assert.equal(kept.length, 20);
      // The one that was given up may not have left the network yet.
      assert.ok(connection.stats().callsInFlight >= 21);
      handle = echo;
      for (const one of kept) echo(one);
      await Promise.all([...open, waiting]);
      assert.equal(connection.stats().callsInFlight, 0);
      await connection.close();
    });

    void test("statistics of a connection, until it has ended", async () => {
      const connection = await dial();
      handle = echo;
      await connection.call(frameType.request, encodeRequest(checkpoint(hex("07"))));
      const { remoteAddress, callsInFlight, bytesSent } = connection.stats();
      assert.deepEqual([remoteAddress, callsInFlight], [server.address, 0]);
      assert.equal(bytesSent === undefined, traits.isPlain === true);
      assert.equal(connection.transportName, transport.name);
      await connection.close();
      assert.throws(() => connection.stats(), { code: "CONNECTION_CLOSED" });
    });

    void test("who the client is: its certificate, where the server asks for one", async () => {
      const pair = (names: string[], usage: "ca" | "server" | "client", issuer?: CertificatePair): CertificatePair =>
        generateCertificate({ names, usage, days: 1, ...(issuer ? { issuer } : {}) });
      const ca = pair(["authority"], "ca");
      const shown = pair(["localhost"], "server", ca);
      const worker = pair(["worker-7.example", "10.0.0.7"], "client", ca);
      const listener = await transport.listen(
        { host: "127.0.0.1", port: 0, certificate: shown, clientCaPem: ca.certPem },
        {
          onCall(call) {
            const { fingerprint, subject, dnsNames } = call.connection.peerCertificate ?? {};
            call.respond(2, Buffer.from(JSON.stringify({ fingerprint, subject, dnsNames })));
          },
        },
      );
      const base = { host: "127.0.0.1", port: listener.port, serverName: "localhost", connectTimeoutMs: 20_000 };
      const connection = await transport.dial({ ...base, verify: { caPem: ca.certPem }, certificate: worker });
      const { payload } = await connection.call(1, hex(""));
      assert.deepEqual(JSON.parse(Buffer.from(payload).toString()), {
        fingerprint: certificateFingerprint(worker.certPem),
        subject: "CN=worker-7.example",
        dnsNames: ["worker-7.example"],
      });
      // In memory there is no TLS, and the listener has no certificate to show.
      const isShown = listener.certificatePem !== "";
      assert.equal(connection.peerCertificate?.certPem, isShown ? shown.certPem : undefined);
      await connection.close();
      await listener.close();
    });

    void test("without being asked a client is nobody", async () => {
      const who = Promise.withResolvers<unknown>();
      const listener = await transport.listen(
        { host: "127.0.0.1", port: 0, certificate: "self-signed" },
        { onConnection: (peer) => who.resolve(peer.peerCertificate), onCall: (call) => call.finish() },
      );
      const base = { host: "127.0.0.1", port: listener.port, serverName: "localhost", connectTimeoutMs: 20_000 };
      const connection = await transport.dial({ ...base, verify: "skip" });
      assert.equal(await who.promise, undefined);
      await connection.close();
      await listener.close();
    });

    void test("close reasons: long ones, odd ones, and codes of more than 32 bits", async () => {
      for (const [code, reason] of [
        [2 ** 40 + 1, "wartung – später"],
        [0, ""],
        [7, `line 1\nline 2 close 9 ${"x".repeat(200)}`],
      ] as const) {
        const connection = await dial();
        handle = (call) => call.connection.close(code, reason);
        await assert.rejects(connection.call(1, encodeRequest(ack)), { closeCode: BigInt(code), closeReason: reason });
        const seen = await connection.closed;
        assert.deepEqual([seen.by, seen.code, seen.reason], ["peer", BigInt(code), reason]);
      }
    });

    void test("dialling is given up at once when its signal is aborted", async () => {
      const signal = AbortSignal.abort(new Error("why"));
      await assert.rejects(dial({ signal }), { code: "CALL_ABORTED" });
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
      // The server must have seen the end of the handshake, or it has nothing to close.
      assert.equal(await sendRequest(other, ack), undefined);
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
