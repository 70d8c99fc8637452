import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { after, before, describe, test } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { ConnectionClosed } from "@runtara/quic";
import { encodeFrame } from "../../frames.ts";
import {
  callFields,
  callFrames,
  endHeaders,
  flood,
  frameKind,
  headerBlock,
  http2Frame,
  number32,
  rawHttp2,
} from "../../testing/http2-peer.ts";
import type { TransportCall, TransportConnection, TransportListener } from "../port.ts";
import { http2Transport } from "./transport.ts";

const mebibyte = 1_048_576;
const hello = Buffer.from("hello");

describe("hostile HTTP/2 clients", () => {
  let listener: TransportListener;
  let good: TransportConnection;
  let handle: (call: TransportCall) => void;
  let ends: ConnectionClosed[] = [];
  let onEnd: () => void = () => {};

  const echo = (call: TransportCall): void => {
    if (call.fault === undefined) call.respond(2, call.payload);
    else call.finish();
  };
  const dial = (): Promise<TransportConnection> =>
    http2Transport.dial({
      host: "127.0.0.1",
      port: listener.port,
      serverName: "localhost",
      verify: "skip",
      connectTimeoutMs: 20_000,
    });

  before(async () => {
    handle = echo;
    listener = await http2Transport.listen(
      {
        host: "127.0.0.1",
        port: 0,
        certificate: "self-signed",
        frame: { readTimeoutMs: 200 },
        transport: { maxIncoming: 5, maxBidiStreams: 100, idleTimeoutMs: 60_000 },
      },
      {
        onCall: (call) => handle(call),
        onConnectionClosed(_, why) {
          ends.push(why);
          onEnd();
        },
      },
    );
    good = await dial();
  });
  after(async () => {
    await good.close();
    await listener.close();
  });

  async function othersAreServed(): Promise<void> {
    handle = echo;
    const { payload } = await good.call(1, hello, { timeoutMs: 20_000 });
    assert.equal(Buffer.from(payload).toString(), "hello");
  }
  /** Resolves with why the server has ended the next connection that ends. */
  function nextEnd(): Promise<ConnectionClosed | undefined> {
    ends = [];
    return new Promise((resolve) => {
      onEnd = () => resolve(ends.at(-1));
    });
  }
  async function memoryGrowth(action: () => Promise<void>): Promise<number> {
    const before = process.memoryUsage.rss();
    await action();
    return process.memoryUsage.rss() - before;
  }

  test("rapid reset: a client that opens and resets streams without end is cut off", async () => {
    const ended = nextEnd();
    const socket = await rawHttp2(listener.port);
    socket.resume();
    const block = headerBlock(callFields);
    const perStep = 500;
    const openAndReset = (index: number): Buffer[] => {
      const stream = 2 * index + 1;
      const head = http2Frame(frameKind.headers, endHeaders, stream, block);
      return [head, http2Frame(frameKind.reset, 0, stream, number32(8))];
    };
    const step = (index: number): Buffer =>
      Buffer.concat(Array.from({ length: perStep }, (_, i) => openAndReset(perStep * index + i)).flat());
    await flood(socket, step, 400);
    assert.equal((await ended)?.by, "lost");
    await othersAreServed();
  });

  test("floods of PING and SETTINGS from a client that never reads are bounded", async () => {
    for (const frame of [
      http2Frame(frameKind.ping, 0, 0, Buffer.alloc(8)),
      http2Frame(frameKind.settings, 0, 0, Buffer.from("000300000064", "hex")),
    ]) {
      const ended = nextEnd();
      const socket = await rawHttp2(listener.port);
      socket.pause();
      const step = Buffer.concat(Array.from({ length: 1_000 }, () => frame));
      const growth = await memoryGrowth(() => flood(socket, () => step, 20_000));
      assert.ok(growth < 64 * mebibyte, `${growth} bytes`);
      socket.destroy();
      assert.equal((await ended)?.by, "lost");
      await othersAreServed();
    }
  });

  test("huge and endless headers end a stream or its connection, and reach no handler", async () => {
    handle = () => assert.fail("nothing should arrive");
    const large = headerBlock({ ...callFields, ...Object.fromEntries(fields(200)) });
    const one = await rawHttp2(listener.port);
    const answered = once(one, "data");
    one.write(http2Frame(frameKind.headers, endHeaders, 1, large));
    await answered;
    one.destroy();

    const ended = nextEnd();
    const endless = await rawHttp2(listener.port);
    endless.resume();
    endless.write(http2Frame(frameKind.headers, 0, 1, headerBlock(callFields)));
    const more = http2Frame(frameKind.continuation, 0, 1, headerBlock(Object.fromEntries(fields(50))));
    const growth = await memoryGrowth(() => flood(endless, () => more, 20_000));
    assert.ok(growth < 64 * mebibyte, `${growth} bytes`);
    endless.destroy();
    await ended;
    await othersAreServed();
  });

  test("large frames that are begun and left wait for the room of their connection, and are given up", async () => {
    const faults: (string | undefined)[] = [];
    const all = Promise.withResolvers<void>();
    handle = (call) => {
      faults.push(call.fault);
      call.finish();
      if (faults.length === 20) all.resolve();
    };
    const slow = await dial();
    const header = Buffer.from("04000000000100", "hex");
    const growth = await memoryGrowth(async () => {
      for (let i = 0; i < 20; i++) await (await slow.openStream()).write(header);
      await all.promise;
    });
    assert.ok(growth < 64 * mebibyte, `${growth} bytes`);
    // Two have room at once, and two more when those are given up.
    assert.ok(faults.filter((fault) => fault === "BUFFER_EXHAUSTED").length >= 14, faults.join());
    assert.ok(faults.filter((fault) => fault === "FRAME_TIMEOUT").length >= 2, faults.join());
    await slow.close();
    await othersAreServed();
  });

  test("a client that never reads its answers costs no more than they are, and cannot hold up the end", async () => {
    const ended = nextEnd();
    const kept: TransportCall[] = [];
    const arrived = Promise.withResolvers<void>();
    handle = (call) => {
      if (kept.push(call) === 100) arrived.resolve();
    };
    const socket = await rawHttp2(listener.port);
    socket.pause();
    for (let i = 0; i < 100; i++) socket.write(callFrames(2 * i + 1, hello));
    await arrived.promise;
    const answer = new Uint8Array(200_000);
    const growth = await memoryGrowth(async () => {
      for (const call of kept) call.respond(2, answer);
      await othersAreServed();
    });
    assert.ok(growth < 128 * mebibyte, `${growth} bytes`);
    kept[0]?.connection.close(3, "too slow");
    assert.deepEqual(await ended, { by: "local", code: 3n, reason: "too slow" });
    socket.resume();
    await once(socket, "close");
    await othersAreServed();
  });

  test("requests that are no calls get an HTTP status and no handler", async () => {
    handle = () => assert.fail("nothing should arrive");
    const socket = await rawHttp2(listener.port);
    const statuses = readStatuses(socket, 3);
    for (const [index, field] of [{ ":path": "/" }, { ":method": "GET" }, { "content-type": "text/html" }].entries()) {
      const block = headerBlock({ ...callFields, ...field });
      socket.write(http2Frame(frameKind.headers, endHeaders, 2 * index + 1, block));
    }
    assert.deepEqual(await statuses, ["404", "405", "415"]);
    socket.destroy();
    await othersAreServed();
  });

  test("bytes that are no HTTP/2, or no TLS, end their connection only", async () => {
    const garbage = connectTls({
      host: "127.0.0.1",
      port: listener.port,
      ALPNProtocols: ["h2"],
      rejectUnauthorized: false,
    });
    garbage.on("error", () => {});
    await once(garbage, "secureConnect");
    garbage.resume().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(10));
    await once(garbage, "close");
    const plain = connectTcp({ host: "127.0.0.1", port: listener.port });
    plain.on("error", () => {});
    plain.resume().write("GET / HTTP/1.1\r\n\r\n");
    await once(plain, "close");
    await othersAreServed();
  });

  test("handshakes beyond maxIncoming that never finish are turned away", async () => {
    const silent = [];
    for (let i = 0; i < 5; i++) {
      const socket = connectTcp({ host: "127.0.0.1", port: listener.port });
      socket.on("error", () => {});
      await once(socket, "connect");
      silent.push(socket);
    }
    const sixth = connectTcp({ host: "127.0.0.1", port: listener.port });
    sixth.on("error", () => {}).resume();
    await once(sixth, "close");
    await othersAreServed();
    for (const socket of silent) {
      socket.destroy();
      await once(socket, "close");
    }
    await (await dial()).close();
  });
});

test("answers that a client leaves unread are reset over its limit, and over the listener's it is closed", async () => {
  const answer = new Uint8Array(4 * mebibyte);
  const frame = { connectionUnsentBytesMax: 9 * mebibyte, endpointUnsentBytesMax: 17 * mebibyte };
  const listener = await http2Transport.listen(
    { host: "127.0.0.1", port: 0, certificate: "self-signed", frame },
    { onCall: (call) => call.respond(2, answer) },
  );
  const settings = { initialWindowSize: 0 };
  const clients = [];
  for (let i = 0; i < 2; i++) {
    const session = connectHttp2(`https://127.0.0.1:${listener.port}`, { rejectUnauthorized: false, settings });
    session.on("error", () => {});
    await once(session, "remoteSettings");
    clients.push(session);
  }
  const ask = (session: ClientHttp2Session): ClientHttp2Stream => {
    const raw = session.request(callFields, { endStream: false });
    raw.on("error", () => {}).end(encodeFrame(1, hello));
    return raw;
  };
  const [slow, greedy] = clients;
  assert.ok(slow !== undefined && greedy !== undefined);
  const asked = Array.from({ length: 40 }, () => ask(slow));
  await Promise.all(asked.slice(2).map((raw) => new Promise((resolve) => raw.once("close", resolve))));
  for (const raw of asked.slice(2)) assert.equal(raw.rstCode, 0x8000_0002);
  const { answersRefused, connectionsShed } = listener.stats();
  assert.deepEqual([answersRefused, connectionsShed], [38, 0]);

  const told = once(greedy, "goaway");
  ask(greedy);
  ask(greedy);
  const third = connectHttp2(`https://127.0.0.1:${listener.port}`, { rejectUnauthorized: false, settings });
  third.on("error", () => {});
  await once(third, "remoteSettings");
  for (let i = 0; i < 2; i++) ask(third);
  const farewell: unknown[] = await Promise.race([told, once(slow, "goaway"), once(third, "goaway")]);
  assert.equal(String(farewell[2]), "runtara close 2 too many answers wait unread");
  assert.ok((listener.stats().connectionsShed ?? 0) >= 1);
  for (const session of [slow, greedy, third]) session.destroy();
  await listener.close();
});

test("a connection on which nothing comes is lost; keep-alive prevents it", async () => {
  const lost = Promise.withResolvers<ConnectionClosed>();
  const transport = { idleTimeoutMs: 100, keepAliveIntervalMs: 0 };
  const listener = await http2Transport.listen(
    { host: "127.0.0.1", port: 0, certificate: "self-signed", transport },
    { onCall: (call) => call.finish(), onConnectionClosed: (_, why) => lost.resolve(why) },
  );
  const { port } = listener;
  const base = { host: "127.0.0.1", port, serverName: "localhost", verify: "skip", connectTimeoutMs: 20_000 } as const;
  const living = await http2Transport.dial({ ...base, transport: { idleTimeoutMs: 10_000, keepAliveIntervalMs: 10 } });
  const silent = await http2Transport.dial({ ...base, transport: { idleTimeoutMs: 0, keepAliveIntervalMs: 0 } });
  const why = await lost.promise;
  assert.deepEqual([why.by, why.error?.code], ["lost", "CONNECTION_LOST"]);
  assert.equal((await silent.closed).by, "lost");
  assert.equal(living.isOpen, true);
  assert.ok((living.stats().rttUs ?? 0) > 0);
  await living.close();
  await listener.close();
});

function fields(count: number): [string, string][] {
  return Array.from({ length: count }, (_, i) => [`x-${i}`, "y".repeat(100)]);
}

/** Indexed or literal `:status` fields of the HEADERS that come (RFC 7541 appendix A has 404 as entry 13). */
async function readStatuses(socket: TLSSocket, count: number): Promise<string[]> {
  const found: string[] = [];
  let bytes = Buffer.alloc(0);
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk as Buffer]);
    while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
      const body = bytes.subarray(9, 9 + bytes.readUIntBE(0, 3));
      if (bytes[3] === frameKind.headers)
        found.push(body[0] === 0x8d ? "404" : (/\d{3}/.exec(statusText(body))?.[0] ?? ""));
      bytes = bytes.subarray(9 + body.length);
    }
    if (found.length === count) return found;
  }
  return found;
}

/** The value of the first literal field, Huffman-coded digits included (RFC 7541 appendix B: five bits for 0 to 2, six for 3 to 9). */
function statusText(body: Buffer): string {
  const length = (body[1] ?? 0) & 0x7f;
  const value = body.subarray(2, 2 + length);
  if (((body[1] ?? 0) & 0x80) === 0) return value.toString("latin1");
  let bits = [...value].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  let text = "";
  while (text.length < 3 && bits.length >= 5) {
    const short = Number.parseInt(bits.slice(0, 5), 2);
    const isShort = short < 3;
    text += isShort ? short : Number.parseInt(bits.slice(0, 6), 2) - 25 + 3;
    bits = bits.slice(isShort ? 5 : 6);
  }
  return text;
}
