import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { QuicError } from "@runtara/quic";
import { encodeRequest } from "../envelopes.ts";
import { encodeFrame, frameType } from "../frames.ts";
import * as environment from "../gen/runtara/environment/environment_pb.ts";
import { hex, readAll } from "../testing/raw-stream.ts";
import { Victim } from "./victim.test.helper.ts";
import { victimLimits } from "./victim-server.test.helper.ts";

// Streams that are used as no client of ours would use them, over a real socket.

const frame = (message: Parameters<typeof encodeRequest>[0]): Uint8Array =>
  encodeFrame(frameType.request, encodeRequest(message));
const upload = frame(create(environment.RegisterImageStreamStartSchema, { name: "n" }));
const health = frame(create(environment.HealthCheckRequestSchema));
const waiting = frame(create(environment.ListAgentsRequestSchema));
const big = frame(create(environment.GetInstanceStatusRequestSchema));
const times = <T>(count: number, step: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => step(index)));

void describe("I10: hostile streams", { timeout: 60_000 }, () => {
  let victim: Victim;

  before(async () => {
    victim = await Victim.start();
  });
  after(() => victim.stop());

  void test("2,000 streams, reset in the middle of a frame", async () => {
    await victim.survives(async () => {
      const connection = await victim.connect();
      await times(2_000, async (index) => {
        const stream = await connection.openStream();
        await stream.write(health.subarray(0, 1 + (index % (health.length - 1))));
        stream.reset(9);
        stream.stop(9);
      });
      await connection.close();
    });
  });

  void test("2,000 streams that want no answer: STOP_SENDING before it", async () => {
    await victim.survives(async () => {
      const connection = await victim.connect();
      await times(2_000, async () => {
        const stream = await connection.openStream();
        stream.stop(3);
        await stream.write(health);
        // The server may have stopped reading, and the reset may come first; either is the end of it.
        await stream.finish().catch(() => {});
        stream.reset(0);
      });
      await connection.close();
    });
  });

  void test("calls that wait for long, given up one by one: their handlers are told", async () => {
    await victim.survives(async () => {
      const connection = await victim.connect();
      await times(300, async () => {
        const stream = await connection.openStream();
        await stream.write(waiting);
        stream.stop(0);
        stream.reset(0);
      });
      await connection.close();
    });
  });

  void test("every stream there is, opened and left without a byte, beside a client that goes on", async () => {
    await victim.survives(async () => {
      const connection = await victim.connect();
      const streams = await times(victimLimits.maxBiStreams, () => connection.openStream());
      for (const stream of streams) await stream.write(new Uint8Array());
      // The next one waits; it is this client's own loss.
      let isOpen = false;
      const next = connection.openStream().then(
        () => {
          isOpen = true;
        },
        (error: unknown) => error,
      );
      const other = await victim.connect();
      for (let i = 0; i < 20; i++) assert.ok((await other.call(1, health.subarray(6))).payload.length > 0);
      assert.equal(isOpen, false);
      await other.close();
      await connection.close();
      assert.ok((await next) instanceof QuicError);
    });
  });

  void test("a writer that stalls after each first byte is answered when the time is up", async () => {
    const { faults } = await victim.survives(async () => {
      const connection = await victim.connect();
      const answers = await times(victimLimits.maxBiStreams, async (index) => {
        const stream = await connection.openStream();
        await stream.write(health.subarray(0, 1 + (index % (health.length - 1))));
        const answer = await readAll(stream);
        stream.reset(0);
        return answer;
      });
      for (const answer of answers) assert.match(answer.toString(), /BAD_REQUEST.*did not arrive whole in time/s);
      await connection.close();
    });
    assert.equal(faults.badRequest, victimLimits.maxBiStreams);
  });

  void test("uploads that stall are given up when the time is up, those that drip are not", async () => {
    const { faults } = await victim.survives(async () => {
      const connection = await victim.connect();
      const dripping = await connection.openStream();
      await dripping.write(upload);
      let drops = 0;
      const drip = setInterval(() => {
        drops++;
        void dripping.write(hex("00"));
      }, victimLimits.progressTimeoutMs / 10);
      await times(50, async () => {
        const stream = await connection.openStream();
        await stream.write(upload);
        await stream.write(new Uint8Array(10));
        await assert.rejects(readAll(stream), { code: "STREAM_RESET" });
        stream.reset(0);
      });
      clearInterval(drip);
      await dripping.finish();
      assert.ok((await readAll(dripping)).toString().includes(`${drops}`), `${drops} bytes dripped`);
      await connection.close();
    });
    assert.equal(faults.streamStalled, 50);
  });

  void test("readers that do not read: of 1,000 answers of 4 MiB the server keeps what its limits say", async () => {
    await victim.survives(async () => {
      const before = (await victim.snapshot()).stats.faults.answerUnread;
      const readers = await times(10, async () => {
        const connection = await victim.connect();
        const asked = times(victimLimits.maxBiStreams, async () => {
          const stream = await connection.openStream();
          await stream.write(big);
          await stream.finish().catch(() => {});
        });
        // The server may close it while it asks.
        await asked.catch((error: unknown) => assert.ok(error instanceof QuicError, `${error}`));
        return connection;
      });
      // What was asked may not have been read yet; how many are asked before the server closes is a matter of speed.
      while ((await victim.snapshot()).stats.faults.answerUnread === before);
      for (const connection of readers) await connection.close();
    });
  });

  void test("connections that close in the middle of their answers", async () => {
    await victim.survives(async () => {
      await times(20, async () => {
        const connection = await victim.connect();
        const stream = await connection.openStream();
        await stream.write(big);
        await stream.read();
        await connection.close(66, "bye");
      });
    });
  });

  void test("connections that come and go with everything under way", async () => {
    await victim.survives(async () => {
      for (let round = 0; round < 5; round++) {
        await times(20, async () => {
          const connection = await victim.connect();
          for (const bytes of [upload, waiting, big, health, health.subarray(0, 3)]) {
            await (await connection.openStream()).write(bytes);
          }
          await connection.close(1, "gone");
        });
      }
    });
  });
});
