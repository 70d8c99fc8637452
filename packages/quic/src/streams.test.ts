import assert from "node:assert/strict";
import { test } from "node:test";
import type { IncomingCall, QuicStream } from "./index.ts";
import { bytes, dial, failure, framed, isEqual, later, pair, serve } from "./peers.test.helper.ts";

const none = new Uint8Array(0);

async function readAll(stream: QuicStream): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (let piece = await stream.read(); piece !== undefined; piece = await stream.read()) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** A raw stream from the client and its other end at the server. */
async function open(t: Parameters<typeof pair>[0]): Promise<[client: QuicStream, server: QuicStream]> {
  const incoming = later<IncomingCall>();
  const connection = await pair(t, { onCall: (call) => incoming.resolve(call) });
  const client = await connection.openStream();
  await client.write(framed(3, none));
  return [client, (await incoming.promise).stream()];
}

test("a stream carries bytes both ways behind its first frame", async (t) => {
  const incoming = later<IncomingCall>();
  const connection = await pair(t, { onCall: (call) => incoming.resolve(call) });
  const client = await connection.openStream();
  await client.write(Buffer.concat([framed(3, Buffer.from("start")), Buffer.from("behind the frame, ")]));
  const call = await incoming.promise;
  assert.equal(Buffer.from(call.payload).toString(), "start");
  const server = call.stream();
  await client.write(Buffer.from("and more"));
  await client.finish();
  assert.equal(Buffer.from(await readAll(server)).toString(), "behind the frame, and more");
  await server.write(Buffer.from("back"));
  await server.finish();
  assert.equal(Buffer.from(await readAll(client)).toString(), "back");
});

test("10 MiB go through unchanged in pieces of any size, both ways at once", async (t) => {
  const [client, server] = await open(t);
  const [there, back] = [bytes(10 * 2 ** 20, 3), bytes(10 * 2 ** 20, 4)];
  const sendAll = async (stream: QuicStream, data: Uint8Array): Promise<void> => {
    for (let at = 0, size = 1; at < data.length; at += size, size = (size * 3) % 700_001 || 1) {
      await stream.write(data.subarray(at, at + size));
    }
    await stream.finish();
  };
  const [seenThere, seenBack] = await Promise.all([
    readAll(server),
    readAll(client),
    sendAll(client, there),
    sendAll(server, back),
  ]);
  assert.ok(isEqual(seenThere, there) && isEqual(seenBack, back));
});

test("a reader that does not read holds the writer back", async (t) => {
  const [client, server] = await open(t);
  const piece = new Uint8Array(64 * 1024);
  let acceptedBytes = 0;
  let isHeldBack = false;
  const writing = (async () => {
    for (let count = 0; count < 256; count++) {
      await client.write(piece);
      acceptedBytes += piece.length;
    }
    await client.finish();
  })();
  // The writer is held back once its own buffer, QUIC's window and the reader's buffer are full.
  for (let before = -1, same = 0; same < 20; ) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    same = before === acceptedBytes ? same + 1 : 0;
    before = acceptedBytes;
    isHeldBack = acceptedBytes < 256 * piece.length;
  }
  assert.ok(isHeldBack);
  // 1 MiB unsent here, QUIC's stream window of 1.25 MB, 1 MiB unread there.
  assert.ok(acceptedBytes <= 2 ** 20 + 1_250_000 + 2 ** 20 + piece.length, `${acceptedBytes} bytes were accepted`);
  assert.equal((await readAll(server)).length, 256 * piece.length);
  await writing;
});

test("each side ends on its own", async (t) => {
  const [client, server] = await open(t);
  await client.finish();
  assert.equal(await server.read(), undefined);
  await server.write(Buffer.from("still here"));
  assert.equal(Buffer.from((await client.read()) ?? none).toString(), "still here");
  await server.finish();
  assert.equal(await client.read(), undefined);
  assert.equal(await client.read(), undefined, "the end stays");
  await failure(client.write(none), "CALL_FINISHED");
  await client.finish();
});

test("a reset by either side is the other side's read error", async (t) => {
  for (const order of [0, 1]) {
    const ends = await open(t);
    const [resetting, reading] = order === 0 ? ends : [...ends].reverse();
    const pending = failure(reading?.read() ?? Promise.resolve(), "STREAM_RESET");
    resetting?.reset(41);
    assert.equal((await pending).resetCode, 41n);
    await failure(resetting?.write(none) ?? Promise.resolve(), "CALL_FINISHED");
    await failure(resetting?.finish() ?? Promise.resolve(), "CALL_FINISHED");
  }
});

test("a stop by either side is the other side's write error", async (t) => {
  for (const order of [0, 1]) {
    const ends = await open(t);
    const [stopping, writing] = order === 0 ? ends : [...ends].reverse();
    stopping?.stop(42);
    assert.equal(await stopping?.read(), undefined);
    const error = await failure(
      (async () => {
        for (;;) await writing?.write(new Uint8Array(1000));
      })(),
      "STREAM_RESET",
    );
    assert.equal(error.resetCode, 42n);
  }
});

test("a writer that is held back learns of a stop and of a lost connection", async (t) => {
  const [client, server] = await open(t);
  const held = failure(client.write(new Uint8Array(8 * 2 ** 20)), "STREAM_RESET");
  await server.read();
  server.stop(7);
  await held;
  // What was handed over stays unsent for good, so nobody would make room for this one.
  assert.equal((await failure(client.write(new Uint8Array(1)), "STREAM_RESET")).resetCode, 7n);
  const incoming = later<IncomingCall>();
  const connection = await pair(t, { onCall: (call) => incoming.resolve(call) });
  const other = await connection.openStream();
  await other.write(framed(1, none));
  const call = await incoming.promise;
  const writing = failure(other.write(new Uint8Array(8 * 2 ** 20)), "CONNECTION_CLOSED");
  call.connection.close(9, "enough");
  assert.equal((await writing).closeReason, "enough");
  await failure(other.read(), "CONNECTION_CLOSED");
});

test("streams end with their connection, on both sides", async (t) => {
  const incoming = later<IncomingCall>();
  const listener = await serve(t, { onCall: (call) => incoming.resolve(call) });
  const connection = await dial(t, listener);
  const client = await connection.openStream();
  await client.write(framed(1, none));
  const server = (await incoming.promise).stream();
  const reading = failure(server.read(), "CONNECTION_CLOSED");
  const local = failure(client.read(), "CONNECTION_CLOSED");
  await connection.close(6, "over");
  assert.equal((await reading).closeCode, 6n);
  assert.equal((await local).closeCode, 6n);
  await failure(connection.openStream(), "CONNECTION_CLOSED");
});

test("streams leave nothing behind once both sides have ended", async (t) => {
  const listener = await serve(t, {
    onCall: (call) => {
      const stream = call.stream();
      void readAll(stream).then(() => stream.finish());
    },
  });
  const connection = await dial(t, listener);
  for (let round = 0; round < 20; round++) {
    const stream = await connection.openStream();
    await stream.write(framed(1, none));
    await stream.finish();
    assert.equal((await readAll(stream)).length, 0);
  }
  while (listener.stats().openStreams > 0) await connection.send(6, none).catch(() => {});
  assert.equal(listener.stats().openCalls, 0);
});
