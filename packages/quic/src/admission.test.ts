import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type ConnectOptions, connect, type EndpointStats, type QuicConnection, type QuicListener } from "./index.ts";
import { dial, failure, framed, later, serve } from "./peers.test.helper.ts";
import { relay } from "./relay.test.helper.ts";

const base = { host: "127.0.0.1", serverName: "localhost", verify: "skip", connectTimeoutMs: 10_000 } as const;

/** Waits until the listener's figures are so; the test runner's own deadline bounds it. */
async function until(listener: QuicListener, isSo: (stats: EndpointStats) => boolean): Promise<EndpointStats> {
  while (!isSo(listener.stats())) await sleep(2);
  return listener.stats();
}

test("connections over maxConnections are refused in the handshake and counted; one that leaves makes room", async (t) => {
  let opened = 0;
  const listener = await serve(t, { onConnection: () => opened++ }, { transport: { maxConnections: 3 } });
  const clients: QuicConnection[] = [];
  for (let count = 0; count < 3; count++) clients.push(await dial(t, listener));
  for (let count = 0; count < 4; count++) {
    const refused = await failure(connect({ ...base, port: listener.port }), "CONNECT_FAILED");
    assert.match(refused.message, /CONNECTION_REFUSED.*later/);
  }
  const stats = listener.stats();
  assert.deepEqual([stats.connections, stats.connectionsRefused, stats.pendingHandshakes, opened], [3, 4, 0, 3]);
  for (const client of clients) assert.equal((await client.call(1, Buffer.from("unharmed"))).payload.length, 8);
  await clients[0]?.close();
  await until(listener, ({ connections }) => connections === 2);
  await dial(t, listener);
});

/** Begins handshakes behind a relay that loses the server's answers, so that none of them ends. */
function beginMany(port: number, count: number, signal: AbortSignal): void {
  for (let begun = 0; begun < count; begun++) {
    const options: ConnectOptions = { ...base, port, connectTimeoutMs: 0, signal };
    connect(options).catch((error) => assert.equal(error.code, "CALL_ABORTED"));
  }
}

test("handshakes over maxIncoming go unanswered until there is room, and are counted", async (t) => {
  const listener = await serve(t, {}, { transport: { maxIncoming: 5, handshakeTimeoutMs: 600 } });
  const network = await relay(t, listener.port);
  network.isMute = true;
  const controller = new AbortController();
  t.after(() => controller.abort());
  beginMany(network.port, 12, controller.signal);
  const full = await until(listener, ({ handshakesDropped }) => handshakesDropped >= 7);
  assert.equal(full.pendingHandshakes, 5);
  assert.equal(full.connections, 0);
  controller.abort();
  // Its first packet may be dropped too, but it is sent again, and by then the others have timed out.
  const client = await dial(t, listener);
  assert.equal((await client.call(1, Buffer.from("in"))).payload.length, 2);
});

test("handshakes that never finish time out and leave nothing", async (t) => {
  const listener = await serve(t, {}, { transport: { handshakeTimeoutMs: 150, retryFromIncoming: 0 } });
  const client = await dial(t, listener);
  const network = await relay(t, listener.port);
  network.isMute = true;
  const controller = new AbortController();
  t.after(() => controller.abort());
  beginMany(network.port, 30, controller.signal);
  await until(listener, ({ handshakesTimedOut }) => handshakesTimedOut >= 30);
  assert.equal((await client.call(1, Buffer.from("unharmed"))).payload.length, 8);
  controller.abort();
  await until(listener, ({ pendingHandshakes }) => pendingHandshakes === 0);
});

test("with many handshakes pending a client has to prove its address, which it does unasked by its user", async (t) => {
  const listener = await serve(t, {}, { transport: { retryFromIncoming: 3 } });
  const network = await relay(t, listener.port);
  network.isMute = true;
  const controller = new AbortController();
  t.after(() => controller.abort());
  beginMany(network.port, 9, controller.signal);
  const stats = await until(listener, ({ handshakesRetried }) => handshakesRetried >= 6);
  assert.equal(stats.pendingHandshakes, 3, "who does not prove its address takes no memory");
  const before = listener.stats().handshakesRetried;
  const client = await dial(t, listener);
  assert.equal((await client.call(1, Buffer.from("in"))).payload.length, 2);
  assert.ok(listener.stats().handshakesRetried > before);
});

test("a refused certificate is counted as a failed handshake", async (t) => {
  const listener = await serve(t);
  const options = { ...base, port: listener.port, verify: { fingerprint: "00".repeat(32) } };
  await failure(connect(options), "TLS_CERTIFICATE_UNKNOWN");
  const stats = await until(listener, ({ handshakesFailed }) => handshakesFailed === 1);
  assert.deepEqual([stats.handshakesTimedOut, stats.connectionsRefused, stats.pendingHandshakes], [0, 0, 0]);
});

test("half-read frames of all connections share one budget; whole frames pass beside it, and all of it comes back", async (t) => {
  const faults: unknown[] = [];
  const refused = later<void>();
  const listener = await serve(
    t,
    {
      onCall(call) {
        if (call.fault === undefined) return call.respond(2, call.payload);
        if (call.fault === "BUFFER_EXHAUSTED") refused.resolve();
        faults.push(call.fault);
        call.finish();
      },
    },
    // An eighth is for frames up to 64 KiB: 128 KiB.
    { frame: { endpointBufferBytesMax: 2 ** 20 } },
  );
  const piece = framed(1, new Uint8Array(50_000), 60_000);
  const clients = [await dial(t, listener), await dial(t, listener), await dial(t, listener)];
  const streams = [];
  for (const client of clients) {
    const stream = await client.openStream();
    await stream.write(piece);
    streams.push(stream);
  }
  await refused.promise;
  const stats = await until(listener, ({ bufferedBytes }) => bufferedBytes >= 100_000);
  assert.deepEqual([faults, stats.framesRefused], [["BUFFER_EXHAUSTED"], 1]);
  assert.ok(stats.bufferedBytes <= 2 ** 17, `${stats.bufferedBytes} bytes`);
  for (const client of clients) assert.equal((await client.call(1, Buffer.from("small"))).payload.length, 5);
  for (const stream of streams) stream.reset(0);
  await until(listener, ({ bufferedBytes }) => bufferedBytes === 0);
  const answer = await clients[0]?.call(1, new Uint8Array(400_000));
  assert.equal(answer?.payload.length, 400_000);
});

test("a client gets all of maxBidiStreams once it uses what it has", async (t) => {
  const waiting: (() => void)[] = [];
  const all = later<void>();
  const listener = await serve(t, {
    onCall(call) {
      waiting.push(() => call.respond(2, call.payload));
      if (waiting.length === 1_000) all.resolve();
    },
  });
  const client = await dial(t, listener);
  const calls = Array.from({ length: 1_000 }, (_, index) => client.call(1, Buffer.from(`${index}`)));
  await all.promise;
  assert.equal(listener.stats().openCalls, 1_000);
  for (const answer of waiting) answer();
  assert.equal((await Promise.all(calls)).length, 1_000);
});
