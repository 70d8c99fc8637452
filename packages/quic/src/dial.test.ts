import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "./index.ts";
import { dial, failure, serve } from "./peers.test.helper.ts";

const base = { host: "127.0.0.1", serverName: "localhost", verify: "skip", connectTimeoutMs: 0 } as const;

/** The UDP sockets that this process holds; Linux only. */
function socketCount(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
    } catch {
      return false;
    }
  }).length;
}

test("an aborted dial ends at once with the signal's reason", async (t) => {
  const silent = createSocket("udp4");
  silent.bind(0, "127.0.0.1");
  await once(silent, "listening");
  t.after(() => silent.close());
  const controller = new AbortController();
  const attempt = failure(connect({ ...base, port: silent.address().port, signal: controller.signal }), "CALL_ABORTED");
  // The hello has come, so the dial is under way.
  await once(silent, "message");
  controller.abort(new Error("enough"));
  assert.equal(((await attempt).cause as Error).message, "enough");
});

test("a dial with a signal that is aborted already sends nothing", async (t) => {
  const silent = createSocket("udp4");
  silent.bind(0, "127.0.0.1");
  await once(silent, "listening");
  t.after(() => silent.close());
  silent.on("message", () => assert.fail("a packet came"));
  const options = { ...base, port: silent.address().port, signal: AbortSignal.abort() };
  await failure(connect(options), "CALL_ABORTED");
  await sleep(20);
});

test("aborted and timed-out dials let go of their sockets", { skip: process.platform !== "linux" }, async (t) => {
  const silent = createSocket("udp4");
  silent.bind(0, "127.0.0.1");
  await once(silent, "listening");
  t.after(() => silent.close());
  const { port } = silent.address();
  const before = socketCount();
  const controllers = Array.from({ length: 20 }, () => new AbortController());
  const attempts = controllers.map(({ signal }) => failure(connect({ ...base, port, signal }), "CALL_ABORTED"));
  const timedOut = failure(connect({ ...base, port, connectTimeoutMs: 50 }), "CONNECT_TIMEOUT");
  while (socketCount() < before + 21) await sleep(2);
  const began = performance.now();
  for (const controller of controllers) controller.abort();
  await Promise.all([...attempts, timedOut]);
  // Quinn by itself keeps a socket for three seconds and more, the time-out of a handshake's close three times over.
  while (socketCount() > before) {
    assert.ok(performance.now() - began < 2_500, `${socketCount() - before} sockets are still open`);
    await sleep(2);
  }
});

test("a server forgets an aborted dial, and a connection that stands ignores its signal", async (t) => {
  const listener = await serve(t);
  const controller = new AbortController();
  const kept = await dial(t, listener, { signal: controller.signal });
  controller.abort();
  assert.equal((await kept.call(1, Buffer.from("still here"))).payload.length, 10);
  for (let round = 0; round < 20; round++) {
    const { signal } = controller;
    await failure(connect({ ...base, port: listener.port, signal }), "CALL_ABORTED");
    const next = new AbortController();
    const attempt = connect({ ...base, port: listener.port, signal: next.signal });
    setImmediate(() => next.abort());
    const connection = await attempt.catch((error) => assert.equal(error.code, "CALL_ABORTED"));
    await connection?.close();
  }
  while (listener.stats().connections > 1 || listener.stats().pendingHandshakes > 0) await sleep(5);
});
