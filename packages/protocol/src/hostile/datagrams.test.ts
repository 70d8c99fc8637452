import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { connect } from "@runtara/quic";
import { openInitial, sealInitial } from "./initial-packets.test.helper.ts";
import { Victim } from "./victim.test.helper.ts";

// Packets from nowhere: what anybody can send without a connection.

void describe("I10: hostile datagrams", { timeout: 60_000 }, () => {
  let victim: Victim;
  let socket: Socket;
  /** The first datagram of a client of ours. */
  let initial: Buffer;
  const sockets: Socket[] = [];

  before(async () => {
    victim = await Victim.start();
    socket = await bound();
    // A server that says nothing, to hear what clients say first.
    const silent = await bound();
    const heard = once(silent, "message");
    const dialled = connect({
      host: "127.0.0.1",
      port: silent.address().port,
      serverName: "localhost",
      verify: "skip",
      connectTimeoutMs: 100,
    });
    const refused = assert.rejects(dialled, { code: "CONNECT_TIMEOUT" });
    initial = (await heard)[0] as Buffer;
    await refused;
  });
  after(async () => {
    for (const one of sockets) one.close();
    await victim.stop();
  });

  async function bound(): Promise<Socket> {
    const one = createSocket("udp4");
    sockets.push(one);
    one.bind(0, "127.0.0.1");
    await once(one, "listening");
    return one;
  }

  function send(bytes: Uint8Array, from: Socket = socket): Promise<void> {
    return new Promise((resolve, reject) => {
      from.send(bytes, victim.port, "127.0.0.1", (error) => (error ? reject(error) : resolve()));
    });
  }

  void test("random bytes of every size", async () => {
    const { reports } = await victim.survives(async () => {
      for (let i = 0; i < 2_000; i++) await send(randomBytes((i * 7) % 1_500));
    });
    assert.deepEqual(reports, []);
  });

  void test("unknown versions: at most one answer each, none larger than its question", async () => {
    let answers = 0;
    let largest = 0;
    const probe = await bound();
    probe.on("message", (answer) => {
      answers++;
      largest = Math.max(largest, answer.length);
      assert.equal(answer.readUInt32BE(1), 0, "a version negotiation packet");
    });
    const heard = once(probe, "message");
    await victim.survives(async () => {
      for (let i = 0; i < 1_000; i++) {
        const packet = Buffer.alloc(1_200);
        packet.writeUInt8(0xc0);
        packet.writeUInt32BE(0x1a2a3a4a + i, 1);
        packet.writeUInt8(8, 5);
        randomBytes(8).copy(packet, 6);
        await send(packet, probe);
      }
      await heard;
    });
    assert.ok(answers >= 1 && answers <= 1_000 && largest <= 1_200, `${answers} answers of up to ${largest} bytes`);
  });

  void test("first packets with garbage inside", async () => {
    const { reports } = await victim.survives(async () => {
      for (let i = 0; i < 2_000; i++) {
        const packet = Buffer.from(initial);
        packet.writeUInt8(i & 0xff, 6 + (i % 8));
        packet.writeUInt8((i * 31) & 0xff, 20 + (i % (packet.length - 20)));
        await send(packet);
      }
      const opened = openInitial(initial);
      for (let i = 0; i < 300; i++) {
        // Sealed as it should be, so the server gets to read it: frames that are none.
        const frames = randomBytes(opened.frames.length);
        await send(sealInitial({ ...opened, destination: randomBytes(opened.destination.length), frames }));
      }
    });
    assert.deepEqual(reports, []);
  });

  void test("one first packet, 3,000 times from 20 ports", async () => {
    const { reports } = await victim.survives(async () => {
      const from = await Promise.all(Array.from({ length: 20 }, bound));
      for (let i = 0; i < 3_000; i++) await send(initial, from[i % from.length]);
    });
    assert.deepEqual(reports, []);
  });

  void test("3,000 handshakes that never finish, from 50 ports", async () => {
    const opened = openInitial(initial);
    assert.deepEqual(openInitial(sealInitial(opened)).frames, opened.frames);
    let sentBytes = 0;
    let answeredBytes = 0;
    const { reports } = await victim.survives(async () => {
      const from = await Promise.all(Array.from({ length: 50 }, bound));
      for (const one of from) one.on("message", (answer) => (answeredBytes += answer.length));
      for (let i = 0; i < 3_000; i++) {
        const packet = sealInitial({ ...opened, destination: randomBytes(opened.destination.length) });
        sentBytes += packet.length;
        await send(packet, from[i % from.length]);
      }
    });
    assert.deepEqual(reports, []);
    assert.ok(answeredBytes > 0, "the packets were not understood, so nothing was tested");
    // RFC 9000 section 8.1; retransmissions included.
    assert.ok(answeredBytes <= 3 * sentBytes, `${answeredBytes} bytes for ${sentBytes}`);
  });
});
