import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import type { QuicConnection } from "@runtara/quic";
import { encodeRequest } from "../envelopes.ts";
import { decodeFrame, encodeFrame } from "../frames.ts";
import * as environment from "../gen/runtara/environment/environment_pb.ts";
import { limits } from "../limits.ts";
import { hex, readAll } from "../testing/raw-stream.ts";
import { decodeMessage } from "../wire/decode.ts";
import { Victim } from "./victim.test.helper.ts";

// Frames that lie, from one connection, many at once.

void describe("I10: hostile frames", { timeout: 60_000 }, () => {
  let victim: Victim;
  let connection: QuicConnection;

  before(async () => {
    victim = await Victim.start();
  });
  after(() => victim.stop());

  /** `count` streams with these bytes; what came back on each. */
  async function flood(count: number, bytes: Uint8Array, fin: boolean): Promise<Buffer[]> {
    connection = await victim.connect();
    const one = async (): Promise<Buffer> => {
      const stream = await connection.openStream();
      await stream.write(bytes);
      if (fin) await stream.finish().catch(() => undefined);
      const answer = await readAll(stream);
      // Or the stream would count against this connection's limit.
      stream.reset(0);
      return answer;
    };
    const answers = await Promise.all(Array.from({ length: count }, one));
    await connection.close();
    return answers;
  }

  function answerOf(bytes: Buffer): { case: string | undefined; code?: string } {
    const { response } = decodeMessage(environment.RpcResponseSchema, decodeFrame(bytes).payload);
    return { case: response.case, ...(response.case === "error" ? { code: response.value.code } : {}) };
  }

  for (const [what, bytes] of [
    ["lengths of 0xFFFFFFFF", "ffffffff 0001"],
    ["lengths just over the limit", "04000001 0001"],
    ["types that do not exist", "00000000 0007"],
  ] as const) {
    void test(`${what}: each stream is ended without a byte, the log hears of it in a few lines`, async () => {
      const { faults } = await victim.survives(async () => {
        for (const answer of await flood(1_000, hex(bytes), false)) assert.equal(answer.length, 0);
      });
      assert.equal(faults.streamClosed, 1_000);
    });
  }

  void test("64 MiB announced and not sent, on every stream there is: memory is not set aside, the time runs out", async () => {
    const { faults } = await victim.survives(async () => {
      for (const answer of await flood(100, hex("04000000 0001 0a"), false)) {
        assert.deepEqual(answerOf(answer), { case: "error", code: "BAD_REQUEST" });
      }
    });
    assert.equal(faults.badRequest, 100);
  });

  for (const [what, payload, code] of [
    ["text that is not UTF-8", hex("1a 06 0a 04 ff c3 28 fe"), "BAD_REQUEST"],
    ["groups nested 100,000 deep", Buffer.alloc(200_000, hex("b33f")), "BAD_REQUEST"],
    ["messages nested 10,000 deep in an unknown field", nested(10_000), "EMPTY_REQUEST"],
    ["a varint without an end", Buffer.alloc(100_000, 0x80), "BAD_REQUEST"],
    ["a megabyte of unknown fields", Buffer.alloc(999_996, hex("ba3e03616263")), "EMPTY_REQUEST"],
    ["a field with another wire type", hex("08 01"), "BAD_REQUEST"],
  ] as const) {
    void test(`${what}: ${code}`, async () => {
      await victim.survives(async () => {
        for (const answer of await flood(30, encodeFrame(1, payload), true)) {
          assert.deepEqual(answerOf(answer), { case: "error", code });
        }
      });
    });
  }

  void test("250,001 nested messages in a frame of 500 kB: refused before they become objects", async () => {
    // start_instance { env {} env {} … }
    const entries = Buffer.alloc((limits.nestedMessagesMax + 1) * 2, hex("3200"));
    const payload = Buffer.concat([hex("3a"), varint(entries.length), entries]);
    const { faults } = await victim.survives(async () => {
      for (const answer of await flood(10, encodeFrame(1, payload), true)) {
        assert.deepEqual(answerOf(answer), { case: "error", code: "BAD_REQUEST" });
      }
    });
    assert.equal(faults.badRequest, 10);
  });

  void test("duplicate members of the envelope: the last one counts, however many", async () => {
    const upload = encodeRequest(create(environment.RegisterImageStreamStartSchema, { name: "n" }));
    const health = encodeRequest(create(environment.HealthCheckRequestSchema));
    const many = Buffer.concat([...Array.from({ length: 20_000 }, () => upload), health]);
    await victim.survives(async () => {
      for (const answer of await flood(20, encodeFrame(1, many), true)) {
        assert.equal(answerOf(answer).case, "healthCheck");
      }
    });
  });
});

/** An unknown field with a message in it, with a message in it, …; the lengths are right. */
function nested(depth: number): Uint8Array {
  let bytes: Buffer = Buffer.alloc(0);
  for (let i = 0; i < depth; i++) bytes = Buffer.concat([hex("ba3e"), varint(bytes.length), bytes]);
  return bytes;
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Uint8Array.from([...bytes, rest]);
}
