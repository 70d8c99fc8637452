import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { test } from "node:test";
import { encodeFrame } from "../../frames.ts";
import type { TransportCall, TransportStream } from "../port.ts";
import { answerHeaders, requestHeaders } from "./headers.ts";
import { http2Transport } from "./transport.ts";

const mebibyte = 1_048_576;

async function pings(session: ClientHttp2Session, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await new Promise<void>((resolve, reject) => session.ping((error) => (error ? reject(error) : resolve())));
  }
}

test("a writer that ignores that its reader has stopped is held up, and reset in the end", async () => {
  const stopped = Promise.withResolvers<[call: TransportCall, stream: TransportStream]>();
  const listener = await http2Transport.listen(
    { host: "127.0.0.1", port: 0, certificate: "self-signed" },
    {
      onCall(call) {
        const stream = call.stream();
        stream.stop(7);
        stopped.resolve([call, stream]);
      },
    },
  );
  const session = connect(`https://127.0.0.1:${listener.port}`, { rejectUnauthorized: false });
  const told = once(session, "ping");
  const raw = session.request(requestHeaders("localhost"), { endStream: false });
  raw.on("error", () => {});
  const closed = new Promise((resolve) => raw.once("close", resolve));
  raw.resume().write(encodeFrame(1, new Uint8Array(0)));
  const [call, stream] = await stopped.promise;
  const [payload] = (await told) as [Buffer];
  assert.equal(payload.toString("hex"), "8000000100000007");
  for (let i = 0; i < 64; i++) raw.write(new Uint8Array(mebibyte));
  const received = (): number => call.connection.stats().bytesReceived ?? 0;
  let before: number;
  let receivedBytes = 0;
  // Until nothing comes but the PINGs.
  do {
    before = received();
    await pings(session, 50);
    receivedBytes = received();
  } while (receivedBytes - before > 65_536);
  assert.ok(receivedBytes > mebibyte && receivedBytes < 8 * mebibyte, `${receivedBytes} bytes were taken`);
  await stream.write(new Uint8Array(10));
  await stream.finish();
  await closed;
  assert.equal(raw.rstCode, 0x8000_0007);
  await pings(session, 2);
  assert.equal(listener.stats().openStreams, 0);
  session.close();
  await listener.close();
});

test("stops of streams that are not there, and PINGs for something else, change nothing", async () => {
  const listener = await http2Transport.listen(
    { host: "127.0.0.1", port: 0, certificate: "self-signed" },
    { onCall: (call) => call.respond(2, call.payload) },
  );
  const session = connect(`https://127.0.0.1:${listener.port}`, { rejectUnauthorized: false });
  for (const hex of ["8000000300000007", "ffffffffffffffff", "0000000100000007"]) {
    await new Promise((resolve) => session.ping(Buffer.from(hex, "hex"), resolve));
  }
  const raw = session.request(requestHeaders("localhost"), { endStream: false });
  raw.end(encodeFrame(1, Buffer.from("hello")));
  const [headers] = (await once(raw, "response")) as [typeof answerHeaders];
  assert.equal(headers[":status"], answerHeaders[":status"]);
  const pieces: Buffer[] = [];
  for await (const piece of raw) pieces.push(piece as Buffer);
  assert.ok(Buffer.concat(pieces).equals(encodeFrame(2, Buffer.from("hello"))));
  session.close();
  await listener.close();
});
