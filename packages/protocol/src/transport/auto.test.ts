import assert from "node:assert/strict";
import { test } from "node:test";
import { generateCertificate, generateSelfSigned, QuicError } from "@runtara/quic";
import { alongside } from "./alongside.ts";
import { autoTransport } from "./auto.ts";
import { http2Transport } from "./http2/transport.ts";
import type { DialOptions, Transport, TransportListener } from "./port.ts";
import { quicTransport } from "./quic.ts";

const certificate = generateSelfSigned();
const listen = (transport: Transport, port = 0): Promise<TransportListener> =>
  transport.listen({ host: "127.0.0.1", port, certificate }, { onCall: (call) => call.finish() });
const to = (port: number, more: Partial<DialOptions> = {}): DialOptions => ({
  host: "127.0.0.1",
  port,
  serverName: "localhost",
  verify: { caPem: certificate.certPem },
  connectTimeoutMs: 20_000,
  ...more,
});

/** The transport, and how often it was dialled. */
function counted(transport: Transport): Transport & { dials: number } {
  const counting = {
    ...transport,
    dials: 0,
    dial(options: DialOptions) {
      counting.dials++;
      return transport.dial(options);
    },
  };
  return counting;
}

test("QUIC is taken where it gets through, and nothing is said", async () => {
  const listener = await listen(alongside(quicTransport, http2Transport));
  const second = counted(http2Transport);
  const auto = autoTransport(assert.fail, { second, headStartMs: 20_000 });
  const connection = await auto.dial(to(listener.port));
  assert.deepEqual([connection.transportName, second.dials], ["quic", 0]);
  await connection.close();
  await listener.close();
});

test("where QUIC does not get through, HTTP/2 is, said once, remembered, and forgotten after a while", async () => {
  const listener = await listen(http2Transport);
  const warnings: string[] = [];
  const first = counted(quicTransport);
  const auto = autoTransport((text) => warnings.push(text), { first, headStartMs: 10 });
  for (let round = 0; round < 3; round++) {
    const connection = await auto.dial(to(listener.port));
    assert.equal(connection.transportName, "http2");
    await connection.close();
  }
  assert.equal(first.dials, 1);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /^connected to 127\.0\.0\.1:\d+ over HTTP\/2 because QUIC does not get through: /);

  const forgetful = autoTransport(() => {}, { first, headStartMs: 10, keepMs: 0 });
  for (let round = 0; round < 2; round++) await (await forgetful.dial(to(listener.port))).close();
  assert.equal(first.dials, 3);
  await listener.close();
});

test("a remembered HTTP/2 that has gone does not hide a QUIC that has come", async () => {
  const listener = await listen(http2Transport);
  const auto = autoTransport(() => {}, { headStartMs: 10 });
  const { port } = listener;
  await (await auto.dial(to(port))).close();
  await listener.close();
  const again = await listen(quicTransport, port);
  const connection = await auto.dial(to(port));
  assert.equal(connection.transportName, "quic");
  await connection.close();
  await again.close();
});

test("a server that TLS refuses over QUIC is not asked over HTTP/2", async () => {
  const ca = generateCertificate({ names: ["authority"], usage: "ca", days: 1 });
  const trusted = generateCertificate({ names: ["localhost"], usage: "server", issuer: ca, days: 1 });
  const impostor = await listen(quicTransport);
  const { port } = impostor;
  const handlers = { onCall: () => assert.fail("nothing should arrive") };
  const honest = await http2Transport.listen({ host: "127.0.0.1", port, certificate: trusted }, handlers);
  const second = counted(http2Transport);
  const auto = autoTransport(assert.fail, { second, headStartMs: 20_000 });
  const verify = { caPem: ca.certPem };
  await assert.rejects(auto.dial(to(port, { verify })), { code: "TLS_CERTIFICATE_UNKNOWN" });
  assert.equal(second.dials, 0);
  // Side by side it must not win either, as soon as QUIC's refusal is there first.
  const late: Transport = {
    ...http2Transport,
    async dial(options) {
      await quicTransport.dial(options).catch(() => {});
      await new Promise((resolve) => options.signal?.addEventListener("abort", resolve));
      return await http2Transport.dial(options);
    },
  };
  const racing = autoTransport(assert.fail, { second: late, headStartMs: 0 });
  await assert.rejects(racing.dial(to(port, { verify })), { code: "TLS_CERTIFICATE_UNKNOWN" });
  await impostor.close();
  await honest.close();
});

test("what loses is ended at once, and closed if it comes nevertheless", async () => {
  const listener = await listen(alongside(quicTransport, http2Transport));
  const released = Promise.withResolvers<void>();
  const came = Promise.withResolvers<boolean>();
  let wasAborted: boolean | undefined;
  const deaf: Transport = {
    ...quicTransport,
    async dial({ signal, ...options }) {
      await released.promise;
      wasAborted = signal?.aborted;
      const connection = await quicTransport.dial(options);
      void connection.closed.then(() => came.resolve(true));
      return connection;
    },
  };
  const auto = autoTransport(() => {}, { first: deaf, headStartMs: 0 });
  const connection = await auto.dial(to(listener.port));
  assert.equal(connection.transportName, "http2");
  released.resolve();
  assert.equal(await came.promise, true);
  assert.equal(wasAborted, true);
  await connection.close();
  await listener.close();
});

test("nobody answers on either way, or the caller gives up", async () => {
  const listener = await listen(http2Transport);
  const { port } = listener;
  await listener.close();
  const auto = autoTransport(assert.fail, { headStartMs: 0 });
  await assert.rejects(auto.dial(to(port, { connectTimeoutMs: 200 })), (error: Error & { code: string }) =>
    ["CONNECT_TIMEOUT", "CONNECT_FAILED"].includes(error.code),
  );
  const abort = new AbortController();
  const dialling = auto.dial(to(port, { signal: abort.signal }));
  abort.abort();
  await assert.rejects(dialling, { code: "CALL_ABORTED" });
  const handlers = { onCall: () => assert.fail("nothing should arrive") };
  await assert.rejects(auto.listen({ host: "127.0.0.1", port: 0, certificate }, handlers), { code: "BIND_FAILED" });
});

/** A way on which nobody answers, and the time-outs it was given. */
function silent(transport: Transport): Transport & { readonly timeouts: number[] } {
  const timeouts: number[] = [];
  return {
    ...transport,
    timeouts,
    dial({ connectTimeoutMs, signal }) {
      timeouts.push(connectTimeoutMs);
      return new Promise((_, reject) => {
        const timer = setTimeout(() => reject(new QuicError("CONNECT_TIMEOUT", "nobody")), connectTimeoutMs);
        signal?.addEventListener("abort", () => {
          clearTimeout(timer);
          reject(new QuicError("CALL_ABORTED", "given up"));
        });
      });
    },
  };
}

test("short connect time-outs leave HTTP/2 half of the time, and a network that has died costs one time-out", async () => {
  const listener = await listen(http2Transport);
  const first = silent(quicTransport);
  const gone = silent(http2Transport);
  let isGone = false;
  const second: Transport = {
    ...http2Transport,
    dial: (options) => (isGone ? gone : http2Transport).dial(options),
  };
  const auto = autoTransport(() => {}, { first, second });
  const connection = await auto.dial(to(listener.port, { connectTimeoutMs: 480 }));
  assert.equal(connection.transportName, "http2");
  await connection.close();
  isGone = true;
  await assert.rejects(auto.dial(to(listener.port, { connectTimeoutMs: 400 })), { code: "CONNECT_TIMEOUT" });
  assert.equal(gone.timeouts[0], 200);
  assert.ok((first.timeouts[1] ?? 400) <= 201, `${first.timeouts.join()}`);
  await listener.close();
});
