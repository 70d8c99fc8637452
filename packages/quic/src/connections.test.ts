import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { type ConnectionClosed, connect, listen, type QuicErrorCode, type ServerConnection } from "./index.ts";
import { dial, echo, failure, later, pair, serve } from "./peers.test.helper.ts";

const none = new Uint8Array(0);
const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some((address) => address.address === "::1"),
);
const base = { host: "127.0.0.1", serverName: "localhost", verify: "skip", connectTimeoutMs: 10_000 } as const;

test("a client's close reaches the server with code and reason", async (t) => {
  const opened = later<ServerConnection>();
  const ended = later<[ServerConnection, ConnectionClosed]>();
  const listener = await serve(t, {
    onConnection: (connection) => opened.resolve(connection),
    onConnectionClosed: (connection, why) => ended.resolve([connection, why]),
  });
  const client = await dial(t, listener);
  const connection = await opened.promise;
  assert.match(connection.remoteAddress, /^127\.0\.0\.1:\d+$/);
  assert.equal(client.remoteAddress, `127.0.0.1:${listener.port}`);
  assert.equal(connection.isOpen, true);
  await client.close(4_294_967_297, "client closing");
  assert.deepEqual(await ended.promise, [connection, { by: "peer", code: 4_294_967_297n, reason: "client closing" }]);
  assert.equal(connection.isOpen, false);
  assert.deepEqual(await client.closed, { by: "local", code: 4_294_967_297n, reason: "client closing" });
});

test("a server's close reaches the client and its calls with code and reason", async (t) => {
  const ended = later<ConnectionClosed>();
  const client = await pair(t, {
    onCall: (call) => call.connection.close(21, "not you"),
    onConnectionClosed: (_, why) => ended.resolve(why),
  });
  const error = await failure(client.call(1, none), "CONNECTION_CLOSED");
  assert.deepEqual([error.closeCode, error.closeReason], [21n, "not you"]);
  assert.deepEqual(await client.closed, { by: "peer", code: 21n, reason: "not you" });
  assert.deepEqual(await ended.promise, { by: "local", code: 21n, reason: "not you" });
  assert.equal(client.isOpen, false);
});

test("a listener that closes ends all connections, delivers the answers given before, and frees its port", async (t) => {
  const all = later<void>();
  let waiting = 0;
  const listener = await serve(t, {
    onCall: (call) => {
      if (++waiting === 60) all.resolve();
      if (call.type === 2) call.respond(2, call.payload);
    },
  });
  const clients = await Promise.all(Array.from({ length: 30 }, () => dial(t, listener)));
  const cut = clients.map((client) => failure(client.call(1, none), "CONNECTION_CLOSED"));
  const answered = clients.map((client) => client.call(2, Buffer.from("in time")));
  await all.promise;
  const closing = listener.close(0, "server closing");
  for (const error of await Promise.all(cut)) assert.equal(error.closeReason, "server closing");
  for (const answer of await Promise.all(answered)) assert.equal(answer.payload.length, 7);
  for (const client of clients) assert.equal((await client.closed).reason, "server closing");
  await closing;
  const again = await listen({ host: "127.0.0.1", port: listener.port, certificate: "self-signed" }, { onCall: echo });
  await again.close();
});

test("use after close", async (t) => {
  const opened = later<ServerConnection>();
  const listener = await serve(t, { onConnection: (connection) => opened.resolve(connection) });
  const client = await dial(t, listener);
  // A listener that closes before the client's last packet of the handshake has come never tells of the connection.
  const connection = await opened.promise;
  await Promise.all([client.close(1, "first"), client.close(2, "second")]);
  await client.close(3);
  assert.deepEqual(await client.closed, { by: "local", code: 1n, reason: "first" });
  await failure(client.call(1, none), "CONNECTION_CLOSED");
  await failure(client.send(1, none), "CONNECTION_CLOSED");
  await failure(client.openStream(), "CONNECTION_CLOSED");
  await Promise.all([listener.close(), listener.close()]);
  await listener.close();
  assert.throws(() => listener.stats(), { code: "ENDPOINT_CLOSED" });
  listener.unref();
  listener.ref();
  listener.unref();
  connection.close(5);
  connection.close(6);
  assert.equal(connection.isOpen, false);
});

test("a peer that stays silent: the connect time-out", async (t) => {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  t.after(() => socket.close());
  const error = await failure(
    connect({ ...base, port: socket.address().port, connectTimeoutMs: 50 }),
    "CONNECT_TIMEOUT",
  );
  assert.match(error.message, /within 50 ms/);
});

test("addresses that are none", async () => {
  const wrong: [string, number][] = [
    ["", 1],
    ["127.0.0.1", -1],
    ["127.0.0.1", 65_536],
    ["127.0.0.1", 1.5],
    ["999.1.1.1", 1],
    ["no such host.invalid", 1],
    ["a\0b", 1],
  ];
  for (const [host, port] of wrong) {
    await failure(connect({ ...base, host, port }), "ADDRESS_INVALID");
    await failure(listen({ host, port, certificate: "self-signed" }, { onCall: echo }), "ADDRESS_INVALID");
  }
  await failure(connect({ ...base, port: 0 }), "ADDRESS_INVALID");
  const foreign = { host: "192.0.2.1", port: 0, certificate: "self-signed" } as const;
  assert.match((await failure(listen(foreign, { onCall: echo }), "BIND_FAILED")).message, /192\.0\.2\.1/);
});

test("a port that is taken", async (t) => {
  const { port } = await serve(t);
  const options = { host: "127.0.0.1", port, certificate: "self-signed" } as const;
  const error = await failure(listen(options, { onCall: echo }), "BIND_FAILED");
  assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}.*in use`));
});

test("a connection whose peer falls silent is lost after the idle time-out", async (t) => {
  const gone = later<ConnectionClosed>();
  const listener = await serve(t, { onConnectionClosed: (_, why) => gone.resolve(why) });
  const relay = createSocket("udp4");
  relay.bind(0, "127.0.0.1");
  await once(relay, "listening");
  let isCut = false;
  let clientPort = 0;
  relay.on("message", (message, from) => {
    if (isCut) return;
    if (from.port !== listener.port) clientPort = from.port;
    relay.send(message, from.port === listener.port ? clientPort : listener.port, "127.0.0.1");
  });
  t.after(() => relay.close());
  const transport = { idleTimeoutMs: 300, keepAliveIntervalMs: 0 };
  const client = await dial(t, { host: "127.0.0.1", port: relay.address().port }, { transport });
  assert.equal((await client.call(1, Buffer.from("hi"))).payload.length, 2);
  isCut = true;
  await failure(client.call(1, none), "CONNECTION_LOST");
  const why = await client.closed;
  assert.equal(why.by, "lost");
  assert.equal(why.error?.code, "CONNECTION_LOST");
  await failure(client.call(1, none), "CONNECTION_LOST");
  assert.equal((await gone.promise).by, "lost");
});

test("keep-alives hold an idle connection", async (t) => {
  const listener = await serve(t);
  // Far apart, so that a busy machine does not make an idle connection of a live one.
  const transport = { idleTimeoutMs: 600, keepAliveIntervalMs: 60 };
  const client = await dial(t, listener, { transport });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal((await client.call(1, Buffer.from("still"))).payload.length, 5);
});

test("a client sees a restart of its server as a close and can connect again", async (t) => {
  const first = await serve(t);
  const client = await dial(t, first);
  await client.call(1, none);
  await first.close(0, "server closing");
  const codes: QuicErrorCode[] = ["CONNECTION_CLOSED", "CONNECTION_CLOSED"];
  for (const code of codes) await failure(client.call(1, none), code);
  const second = await serve(t, {}, { port: first.port });
  assert.equal(second.port, first.port);
  const again = await dial(t, second);
  assert.equal((await again.call(1, Buffer.from("x"))).payload.length, 1);
});

test("a full server leaves the handshake unanswered", async (t) => {
  const listener = await serve(t, {}, { transport: { maxIncoming: 0 } });
  const { host, port } = listener;
  await failure(connect({ ...base, host, port, connectTimeoutMs: 100 }), "CONNECT_TIMEOUT");
});

test("what a handler throws is an uncaught exception and costs no other call", async (t) => {
  const uncaught: unknown[] = [];
  const listener = await serve(t, {
    onCall: (call) => {
      if (call.type === 1) {
        call.finish();
        throw new Error("handler bug");
      }
      call.respond(2, call.payload);
    },
  });
  const client = await dial(t, listener);
  const original = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => uncaught.push(error));
  t.after(() => {
    process.removeAllListeners("uncaughtException");
    for (const listener of original) process.on("uncaughtException", listener);
  });
  const [silent, fine] = await Promise.allSettled([client.call(1, none), client.call(2, Buffer.from("ok"))]);
  assert.deepEqual([silent.status, fine.status], ["rejected", "fulfilled"]);
  assert.deepEqual(
    uncaught.map((error) => (error as Error).message),
    ["handler bug"],
  );
});

test("many endpoints in one process", async (t) => {
  const listeners = await Promise.all(Array.from({ length: 20 }, () => serve(t)));
  const clients = await Promise.all(listeners.flatMap((listener) => [dial(t, listener), dial(t, listener)]));
  const answers = await Promise.all(clients.map((client, index) => client.call(1, Buffer.from(`${index}`))));
  assert.deepEqual(
    answers.map((answer) => Buffer.from(answer.payload).toString()),
    clients.map((_, index) => `${index}`),
  );
  assert.equal(listeners[0]?.stats().connections, 2);
  await Promise.all(listeners.map((listener) => listener.close()));
});

test("IPv6", { skip: !hasIpv6 && "this machine has no ::1" }, async (t) => {
  const listener = await serve(t, {}, { host: "::1" });
  assert.equal(listener.host, "::1");
  for (const host of ["::1", "[::1]"]) {
    const client = await dial(t, { host, port: listener.port });
    assert.equal(client.remoteAddress, `[::1]:${listener.port}`);
    assert.equal((await client.call(1, Buffer.from("six"))).payload.length, 3);
  }
});

test("names are resolved", async (t) => {
  const listener = await serve(t, {}, { host: "localhost" });
  const client = await dial(t, { host: listener.host, port: listener.port });
  assert.equal((await client.call(1, none)).payload.length, 0);
});
