import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from "node:http2";
import { createServer as createTcpServer } from "node:net";
import { test } from "node:test";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { promisify } from "node:util";
import { generateSelfSigned } from "@runtara/quic";
import { encodeFrame } from "../../frames.ts";
import type { TransportConnection } from "../port.ts";
import { answerHeaders } from "./headers.ts";
import { http2Transport } from "./transport.ts";

const { certPem, keyPem } = generateSelfSigned();
const tls: TlsOptions = { cert: certPem, key: keyPem };
const empty = new Uint8Array(0);

async function listening(server: { listen(port: number, host: string): unknown; address(): unknown }): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server as Http2SecureServer, "listening");
  return (server.address() as { port: number }).port;
}
const dial = (port: number): Promise<TransportConnection> =>
  http2Transport.dial({ host: "127.0.0.1", port, serverName: "localhost", verify: "skip", connectTimeoutMs: 20_000 });

/** A client of an HTTP/2 server that does as it likes with each stream. */
async function against(
  onStream: (stream: ServerHttp2Stream) => void,
  use: (connection: TransportConnection) => Promise<void>,
): Promise<void> {
  const server = createSecureServer({ cert: certPem, key: keyPem, settings: { maxConcurrentStreams: 5 } });
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    stream.resume();
    onStream(stream);
  });
  const connection = await dial(await listening(server));
  try {
    await use(connection);
  } finally {
    await connection.close();
    server.close();
  }
}

test("answers whose stream is left open do not use up the streams", async () => {
  await against(
    (stream) => {
      stream.respond(answerHeaders);
      stream.write(encodeFrame(2, Buffer.from("yes")));
    },
    async (connection) => {
      const answers = await Promise.all(Array.from({ length: 24 }, () => connection.call(1, empty)));
      for (const { payload } of answers) assert.equal(Buffer.from(payload).toString(), "yes");
    },
  );
});

test("what is no answer of a Runtara server is told as the end of the stream, with the reason", async () => {
  await against(
    (stream) => {
      stream.respond({ ":status": 502, "content-type": "text/html" });
      stream.end("<h1>Bad gateway</h1>");
    },
    async (connection) => {
      await assert.rejects(connection.call(1, empty), { code: "STREAM_ENDED", message: /HTTP status 502/ });
      const stream = await connection.openStream();
      await stream.finish();
      assert.equal(await stream.read(), undefined);
    },
  );
  await against(
    (stream) => {
      stream.respond({ ":status": 200, "content-type": "text/html" });
      stream.end("hello");
    },
    (connection) => assert.rejects(connection.call(1, empty), { code: "STREAM_ENDED", message: /text\/html/ }),
  );
});

test("frames that are none, resets, and a connection that is ended in HTTP/2's own words", async () => {
  const answers = [
    ["000000000009", "FRAME_TYPE_INVALID"],
    ["040000010002", "FRAME_TOO_LARGE"],
    ["0000000500020102", "STREAM_ENDED"],
    ["", "STREAM_ENDED"],
  ] as const;
  let answer = "";
  await against(
    (stream) => {
      stream.respond(answerHeaders);
      stream.end(Buffer.from(answer, "hex"));
    },
    async (connection) => {
      for (const [hex, code] of answers) {
        answer = hex;
        await assert.rejects(connection.call(1, empty), { code });
      }
    },
  );
  await against(
    (stream) => stream.close(11),
    (connection) => assert.rejects(connection.call(1, empty), { code: "STREAM_RESET", resetCode: 4_294_967_307n }),
  );
  await against(
    (stream) => stream.session?.destroy(undefined, 2),
    async (connection) => {
      await assert.rejects(connection.call(1, empty), { code: "CONNECTION_LOST" });
      await assert.rejects(connection.openStream(), { code: "CONNECTION_LOST" });
      assert.equal((await connection.closed).by, "lost");
    },
  );
});

test("servers that do not speak HTTP/2 there", async () => {
  const other = createTlsServer(tls, (socket) => socket.end("220 mail.example ESMTP\r\n"));
  const port = await listening(other);
  await assert.rejects(dial(port), { code: "CONNECT_FAILED", message: /does not speak HTTP\/2/ });
  other.close();
  await assert.rejects(dial(port), { code: "CONNECT_FAILED" });
  const plain = createTcpServer((socket) => socket.on("error", () => {}).end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  await assert.rejects(dial(await listening(plain)), { code: "TLS_FAILED" });
  plain.close();
  const mute = createTcpServer((socket) => socket.destroy());
  await assert.rejects(dial(await listening(mute)), { code: "CONNECT_FAILED" });
  mute.close();
});

test("a process lives while something is pending, and no longer", async () => {
  const script = `
    import { http2Transport } from "@runtara/protocol";
    const certificate = ${JSON.stringify({ certPem, keyPem })};
    const onCall = (call) => setTimeout(() => call.respond(2, call.payload), 50);
    const listener = await http2Transport.listen({ host: "127.0.0.1", port: 0, certificate }, { onCall });
    listener.unref();
    const options = { host: "127.0.0.1", port: listener.port, serverName: "localhost", verify: "skip", connectTimeoutMs: 5000 };
    const connection = await http2Transport.dial(options);
    console.log(Buffer.from((await connection.call(1, Buffer.from("answered"))).payload).toString());
    await connection.openStream();
  `;
  const run = ["--conditions=runtara-src", "--input-type=module", "--eval", script];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, run, {
    cwd: import.meta.dirname,
    timeout: 60_000,
  });
  assert.deepEqual([stdout.trim(), stderr], ["answered", ""]);
});
