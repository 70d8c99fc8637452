import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { ProtocolError } from "../errors.ts";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import { memoryTransport } from "../transport/memory/transport.ts";
import type { Transport } from "../transport/port.ts";
import { QuicClient } from "./client.ts";
import { destination, dialFailure } from "./destination.ts";

const status = create(instance.GetInstanceStatusRequestSchema, { instanceId: "i" });
const silentUdp = createSocket("udp4");
// Takes connections and says nothing.
const silentTcp = createServer((socket) => socket.on("error", () => {}));
let port: number;
before(async () => {
  await once(silentTcp.listen(0, "127.0.0.1"), "listening");
  port = (silentTcp.address() as { port: number }).port;
  await once(silentUdp.bind(port, "127.0.0.1"), "listening");
});
after(() => {
  silentUdp.close();
  silentTcp.close();
});

/** What a client says of a server that is not there. */
async function failureOf(transport: "quic" | "http2" | "auto" | Transport, serverAddr: string): Promise<ProtocolError> {
  await using client = QuicClient.localhost({ serverAddr, transport, connectTimeoutMs: 60, retry: false });
  const error = await client.call(status).catch((error: unknown) => error);
  assert.ok(error instanceof ProtocolError, String(error));
  return error;
}

test("a wrong address: the text names address, network and remedy, and begins as the original's", async () => {
  const at = `127.0.0.1:${port}`;
  const quic = await failureOf("quic", at);
  const remedy = 'is a server there, does a firewall block UDP? transport: "auto" tries HTTP/2 as well';
  assert.equal(quic.message, `connection timed out after 60ms to ${at} over QUIC (UDP): ${remedy}`);
  const http2 = await failureOf("http2", at);
  assert.match(http2.message, /^connection timed out after 60ms to .* over HTTP\/2 \(TCP\): is a server there/);
  const auto = await failureOf("auto", at);
  assert.match(auto.message, /^connection timed out after 60ms to .* over QUIC \(UDP\) and HTTP\/2 \(TCP\): /);
  const named = await failureOf("quic", `localhost:${port}`);
  assert.match(named.message, new RegExp(`to localhost:${port} \\((127\\.0\\.0\\.1|::1)\\) over QUIC`));
  const memory = await failureOf(memoryTransport(), "127.0.0.1:7");
  assert.match(
    memory.message,
    /^connection error: .*; no connection to 127\.0\.0\.1:7 in memory: .*memoryTransport\(\)/,
  );
});

test("a deadline that ends a call says what the tries to connect have met", async () => {
  const serverAddr = `127.0.0.1:${port}`;
  await using cut = QuicClient.localhost({ serverAddr, connectTimeoutMs: 10_000 });
  await assert.rejects(cut.call(status, { timeoutMs: 30 }), {
    code: "CALL_TIMEOUT",
    message: new RegExp(`^read error: no answer within 30 ms; not connected to ${serverAddr} over QUIC \\(UDP\\): `),
  });
  const retry = { triesMax: 1_000, delayMsMin: 1, delayMsMax: 1 };
  await using trying = QuicClient.localhost({ serverAddr, connectTimeoutMs: 50, retry });
  await assert.rejects(trying.call(status, { timeoutMs: 180 }), (error: Error & { code: string; cause: Error }) => {
    // The deadline may also fall between two tries: then the last one's failure is told.
    const failed = `connection timed out after 50ms to ${serverAddr} over QUIC (UDP): `;
    if (error.code === "CONNECT_TIMEOUT") return error.message.startsWith(failed);
    assert.equal((error.cause as ProtocolError).code, "CONNECT_TIMEOUT");
    return error.message.startsWith(`read error: no answer within 180 ms; the try before failed: ${failed}`);
  });
});

test("only failures to connect are told so", () => {
  const where = destination({ host: "::1", port: 8001 }, "wireless");
  assert.equal(where, "[::1]:8001 over wireless: is a server there?");
  const tls = new ProtocolError("TLS_FAILED", "connection error: unknown authority");
  assert.equal(dialFailure(tls, 1_000, where), tls);
  const bug = new TypeError("a bug");
  assert.equal(dialFailure(bug, 1_000, where), bug);
  const cause = new Error("idle");
  const idle = new ProtocolError("CONNECT_TIMEOUT", "connection timed out: no answer within the idle timeout", {
    cause,
  });
  const told = dialFailure(idle, 0, where) as ProtocolError;
  assert.equal(told.message, `connection timed out: no answer within the idle timeout to ${where}`);
  assert.equal(told.cause, cause);
});
