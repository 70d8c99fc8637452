import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTick } from "node:timers/promises";
import type { IncomingCall, QuicStream } from "./index.ts";
import { dial, failure, framed, later, pair, serve } from "./peers.test.helper.ts";

const none = new Uint8Array(0);

/** Both ends of a raw stream, and a call on its connection that is a round trip to count by. */
async function open(t: Parameters<typeof pair>[0]): Promise<{
  client: QuicStream;
  server: QuicStream;
  roundTrip: () => Promise<unknown>;
}> {
  const incoming = later<IncomingCall>();
  const connection = await pair(t, {
    onCall: (call) => (call.type === 6 ? call.respond(2, none) : incoming.resolve(call)),
  });
  const client = await connection.openStream();
  await client.write(framed(3, none));
  const server = (await incoming.promise).stream();
  return { client, server, roundTrip: () => connection.call(6, none) };
}

/**
 * Checks that a promise settles within the round trips of two calls that begin after the abort: it travels with the first
 * one's packets or right behind them, and is told in the batch of the second one's answer at the latest.
 */
async function settlesWithin(roundTrip: () => Promise<unknown>, promise: Promise<unknown>): Promise<void> {
  let isSettled = false;
  const settle = (): void => {
    isSettled = true;
  };
  promise.then(settle, settle);
  await roundTrip();
  await roundTrip();
  // What one batch has brought settles in one tick, in any order.
  await nextTick();
  assert.ok(isSettled);
}

test("a reset by the client ends the server's reading within a round trip", async (t) => {
  const { client, server, roundTrip } = await open(t);
  const reading = server.read();
  client.reset(9);
  await settlesWithin(roundTrip, reading);
  assert.equal((await failure(reading, "STREAM_RESET")).resetCode, 9n);
});

test("a stop by the client ends the server's writing within a round trip", async (t) => {
  const { client, server, roundTrip } = await open(t);
  // More than all windows, so that it waits.
  const writing = server.write(new Uint8Array(6 * 2 ** 20));
  await client.read();
  client.stop(8);
  await settlesWithin(roundTrip, writing);
  assert.equal((await failure(writing, "STREAM_RESET")).resetCode, 8n);
});

for (const [what, act, code] of [
  ["reset", (stream: QuicStream) => stream.reset(7), 7n],
  ["stop", (stream: QuicStream) => stream.stop(5), 5n],
] as const) {
  test(`a ${what} by the server reaches the client within a round trip`, async (t) => {
    const incoming = later<IncomingCall>();
    let abort: (() => void) | undefined;
    const connection = await pair(t, {
      onCall(call) {
        if (call.type !== 6) return incoming.resolve(call);
        abort?.();
        call.respond(2, none);
      },
    });
    const client = await connection.openStream();
    await client.write(framed(3, none));
    const server = (await incoming.promise).stream();
    abort = () => act(server);
    const failing = what === "reset" ? client.read() : client.write(new Uint8Array(6 * 2 ** 20));
    await settlesWithin(() => connection.call(6, none), failing);
    assert.equal((await failure(failing, "STREAM_RESET")).resetCode, code);
  });
}

test("a call that its client gives up is aborted at the server within a round trip, once", async (t) => {
  let aborts = 0;
  const arrived = later<void>();
  const listener = await serve(t, {
    onCall(call) {
      if (call.type === 6) return call.respond(2, none);
      call.onAborted = () => {
        aborts++;
        call.finish();
      };
      arrived.resolve();
    },
  });
  const connection = await dial(t, listener);
  const controller = new AbortController();
  const given = failure(connection.call(1, none, { signal: controller.signal }), "CALL_ABORTED");
  await arrived.promise;
  controller.abort();
  await given;
  await connection.call(6, none);
  await connection.call(6, none);
  await nextTick();
  assert.deepEqual([aborts, listener.stats().openCalls], [1, 0]);
});

test("a call that the server resets fails at the client with its code, and no other", async (t) => {
  const connection = await pair(t, {
    onCall: (call) => (call.type === 1 ? call.reset(33) : call.respond(2, call.payload)),
  });
  const [reset, answered] = await Promise.all([
    failure(connection.call(1, none), "STREAM_RESET"),
    connection.call(2, Buffer.from("fine")),
  ]);
  assert.deepEqual([reset.resetCode, answered.payload.length], [33n, 4]);
});

test("a hundred thousand bytes in flight do not hold up a reset", async (t) => {
  const { client, server, roundTrip } = await open(t);
  await client.write(new Uint8Array(100_000));
  client.reset(3);
  await roundTrip();
  const error = await failure(
    (async () => {
      while ((await server.read()) !== undefined);
    })(),
    "STREAM_RESET",
  );
  assert.equal(error.resetCode, 3n);
});
