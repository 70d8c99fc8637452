import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { EndpointStats, IncomingCall, QuicConnection, QuicListener, QuicStream } from "./index.ts";
import { bytes, dial, echo, failure, framed, isEqual, serve } from "./peers.test.helper.ts";

const mebibyte = 2 ** 20;
const answer = bytes(4 * mebibyte);

/** Type 1 is echoed, type 3 gets 4 MiB. */
function respond(call: IncomingCall): void {
  if (call.type === 3) call.respond(2, answer);
  else echo(call);
}

/** Waits until the listener's figures are so; the test runner's own deadline bounds it. */
async function until(listener: QuicListener, isSo: (stats: EndpointStats) => boolean): Promise<EndpointStats> {
  while (!isSo(listener.stats())) await sleep(2);
  return listener.stats();
}

/** Asks and never reads: of each answer about 2 MiB fit into the windows of its stream. */
async function ask(connection: QuicConnection, count: number): Promise<QuicStream[]> {
  const streams: QuicStream[] = [];
  for (let asked = 0; asked < count; asked++) {
    const stream = await connection.openStream();
    // The server may stop reading before the end.
    await stream.write(framed(3, new Uint8Array(0)));
    await stream.finish().catch(() => {});
    streams.push(stream);
  }
  return streams;
}

async function readAll(stream: QuicStream): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (let piece = await stream.read(); piece !== undefined; piece = await stream.read()) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function bystander(t: TestContext, listener: QuicListener): Promise<() => Promise<void>> {
  const connection = await dial(t, listener);
  return async () => {
    assert.equal((await connection.call(1, Buffer.from("unharmed"))).payload.length, 8);
    assert.ok(isEqual((await connection.call(3, Buffer.alloc(0))).payload, answer));
  };
}

test("a client that does not read keeps so many bytes waiting, and further answers are reset", async (t) => {
  const connectionUnsentBytesMax = 8 * mebibyte;
  const listener = await serve(t, { onCall: respond }, { frame: { connectionUnsentBytesMax } });
  const callOthers = await bystander(t, listener);
  const connection = await dial(t, listener);
  const streams = await ask(connection, 40);
  const { unsentBytes, connectionsShed } = await until(listener, (stats) => stats.answersRefused >= 30);
  assert.ok(unsentBytes <= connectionUnsentBytesMax, `${unsentBytes} wait`);
  assert.equal(connectionsShed, 0);
  await callOthers();
  let whole = 0;
  for (const stream of streams) {
    const outcome = await readAll(stream).catch((error) => error);
    if (outcome instanceof Uint8Array) assert.ok(isEqual(outcome, framed(2, answer)), `whole answer ${++whole}`);
    else assert.deepEqual([outcome.code, outcome.resetCode], ["STREAM_RESET", 2n]);
  }
  assert.equal(whole + listener.stats().answersRefused, 40, "each whole or reset");
  assert.ok(whole > 0);
  await until(listener, (stats) => stats.unsentBytes === 0);
  assert.ok(isEqual((await connection.call(3, Buffer.alloc(0))).payload, answer), "it has room again");
});

test("when all clients together leave too much unread, the one with the most is closed", async (t) => {
  const frame = { connectionUnsentBytesMax: 0, endpointUnsentBytesMax: 12 * mebibyte };
  const listener = await serve(t, { onCall: respond }, { frame });
  const callOthers = await bystander(t, listener);
  const slow = await dial(t, listener);
  const slowStreams = await ask(slow, 2);
  await until(listener, ({ unsentBytes }) => unsentBytes > 0);
  const greedy = await dial(t, listener);
  void ask(greedy, 30).catch(() => {});
  const end = await greedy.closed;
  // The packet that says so may get lost among the answers; what it sends afterwards is answered with a stateless reset.
  if (end.by === "lost") assert.match(end.error?.message ?? "", /reset/);
  else assert.deepEqual([end.by, end.code, end.reason], ["peer", 2n, "too many answers wait unread"]);
  const stats = await until(listener, ({ unsentBytes }) => unsentBytes <= frame.endpointUnsentBytesMax);
  assert.deepEqual([stats.connectionsShed, stats.answersRefused >= 0], [1, true]);
  await callOthers();
  for (const stream of slowStreams) assert.ok(isEqual(await readAll(stream), framed(2, answer)));
  await slow.close();
  await until(listener, ({ unsentBytes }) => unsentBytes === 0);
});

test("a lone answer over every limit is sent; a connection that goes leaves nothing waiting", async (t) => {
  const frame = { connectionUnsentBytesMax: 1, endpointUnsentBytesMax: 0 };
  const listener = await serve(t, { onCall: respond }, { frame });
  const connection = await dial(t, listener);
  for (let call = 0; call < 3; call++) {
    assert.ok(isEqual((await connection.call(3, Buffer.alloc(0))).payload, answer));
    await until(listener, ({ unsentBytes }) => unsentBytes === 0);
  }
  const [stream] = await ask(connection, 1);
  await until(listener, ({ unsentBytes }) => unsentBytes > 0);
  const late = connection.call(3, Buffer.alloc(0));
  assert.equal((await failure(late, "STREAM_RESET")).resetCode, 2n);
  await connection.close();
  await until(listener, ({ unsentBytes }) => unsentBytes === 0);
  await failure(stream?.read().then(() => readAll(stream)) ?? Promise.resolve(), "CONNECTION_CLOSED");
});
