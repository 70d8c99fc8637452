import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import { test } from "node:test";
import type { QuicError } from "@runtara/quic";
import type { TransportCall, TransportConnection, TransportListener } from "../port.ts";
import { http2Transport } from "./transport.ts";

/** What Node's types leave out. */
type Session = ClientHttp2Session & { setNextStreamID(id: number): void };

const empty = new Uint8Array(0);
const listen = (onCall: (call: TransportCall) => void, maxBidiStreams = 100): Promise<TransportListener> =>
  http2Transport.listen(
    { host: "127.0.0.1", port: 0, certificate: "self-signed", transport: { maxBidiStreams } },
    { onCall },
  );
const dial = (port: number): Promise<TransportConnection> =>
  http2Transport.dial({ host: "127.0.0.1", port, serverName: "localhost", verify: "skip", connectTimeoutMs: 20_000 });
const failure = (promise: Promise<unknown>): Promise<QuicError> =>
  promise.then(
    () => assert.fail("it went well"),
    (error) => error,
  );

/** A TCP proxy, so that the connection can be ended in the middle. */
async function proxyTo(port: number): Promise<{ port: number; sockets: Socket[]; close(): void }> {
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connectTcp(port, "127.0.0.1");
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.on("error", () => {});
      socket.on("data", (piece) => other.write(piece));
      socket.on("close", () => other.destroy());
    }
    sockets.push(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as { port: number }).port, sockets, close: () => server.close() };
}

test("however TCP ends, what is under way is told CONNECTION_LOST, and nothing counts as acknowledged", async () => {
  for (const how of ["reset", "end", "destroy"] as const) {
    for (let round = 0; round < 5; round++) {
      const arrived = Promise.withResolvers<void>();
      let calls = 0;
      const listener = await listen(() => {
        if (++calls === 22) arrived.resolve();
      });
      const proxy = await proxyTo(listener.port);
      const connection = await dial(proxy.port);
      const stream = await connection.openStream();
      await stream.write(Buffer.from("000000000001", "hex"));
      const failures = [
        failure(connection.send(1, empty)),
        ...Array.from({ length: 20 }, () => failure(connection.call(1, empty))),
        failure(stream.read()),
      ];
      await arrived.promise;
      if (how === "reset") proxy.sockets[0]?.resetAndDestroy();
      else proxy.sockets[0]?.[how]();
      for (const { code, message, wasSent } of await Promise.all(failures)) {
        assert.deepEqual([code, wasSent], ["CONNECTION_LOST", undefined], `${how}: ${message}`);
      }
      assert.equal((await connection.closed).by, "lost");
      assert.equal((await failure(stream.write(Buffer.from("x")))).code, "CONNECTION_LOST");
      proxy.close();
      await listener.close();
    }
  }
});

test("what still waits for a stream when the connection goes was never sent, and says so", async () => {
  const first = Promise.withResolvers<TransportCall>();
  const listener = await listen((call) => first.resolve(call), 1);
  const connection = await dial(listener.port);
  const begun = failure(connection.call(1, empty));
  const call = await first.promise;
  const waiting = [failure(connection.call(1, empty)), failure(connection.openStream())];
  const givenUp = await failure(connection.call(1, empty, { timeoutMs: 10 }));
  assert.deepEqual([givenUp.code, givenUp.wasSent], ["CALL_TIMEOUT", false]);
  call.connection.close(9, "restart");
  for (const { code, closeCode, closeReason, wasSent } of await Promise.all(waiting)) {
    assert.deepEqual([code, closeCode, closeReason, wasSent], ["CONNECTION_CLOSED", 9n, "restart", false]);
  }
  assert.equal((await begun).wasSent, undefined);
  const late = await failure(connection.call(1, empty));
  assert.deepEqual([late.code, late.wasSent], ["CONNECTION_CLOSED", false]);
  await listener.close();
});

test("a connection whose stream numbers are used up takes nothing more, and ends with its last stream", async (t) => {
  const sessions: ClientHttp2Session[] = [];
  const kept: TransportCall[] = [];
  const full = Promise.withResolvers<void>();
  const listener = await listen((call) => {
    if (kept.push(call) === 2) full.resolve();
  });
  const spare = connect(`https://127.0.0.1:${listener.port}`, { rejectUnauthorized: false });
  const prototype = Object.getPrototypeOf(spare) as ClientHttp2Session;
  const { request } = prototype;
  t.mock.method(prototype, "request", function (this: Session, ...given: Parameters<typeof request>) {
    if (!sessions.includes(this)) {
      sessions.push(this);
      this.setNextStreamID(2 ** 31 - 3);
    }
    return request.apply(this, given);
  });
  const connection = await dial(listener.port);
  const last = [connection.call(1, empty), connection.call(1, empty)];
  assert.equal(connection.isOpen, false);
  for (const one of [connection.call(1, empty), connection.openStream()]) {
    const { code, wasSent, message } = await failure(one);
    assert.deepEqual([code, wasSent], ["CONNECTION_LOST", false], message);
  }
  await full.promise;
  for (const call of kept) call.respond(2, Buffer.from("last"));
  for (const answer of last) assert.equal(Buffer.from((await answer).payload).toString(), "last");
  assert.equal((await connection.closed).by, "lost");

  // Node may have none left before we expect it.
  const none = await dial(listener.port);
  t.mock.method(prototype, "request", function (this: Session, ...given: Parameters<typeof request>) {
    this.setNextStreamID(2 ** 31 - 1);
    request.apply(this, given).on("error", () => {});
    return request.apply(this, given);
  });
  const { code, wasSent } = await failure(none.call(1, empty));
  assert.deepEqual([code, wasSent, none.isOpen], ["CONNECTION_LOST", false, false]);
  assert.equal((await none.closed).by, "lost");
  spare.destroy();
  await listener.close();
});
