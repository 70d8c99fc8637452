import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import type { QuicConnection } from "@runtara/quic";
import * as fc from "fast-check";
import { encodeRequest } from "../envelopes.ts";
import { encodeFrame, frameType } from "../frames.ts";
import { CheckpointRequestSchema, RpcResponseSchema } from "../gen/runtara/instance/instance_pb.ts";
import { limits } from "../limits.ts";
import { seed } from "../testing/messages.ts";
import { connectRaw, exchange, hex, onlyFrame, readAll } from "../testing/raw-stream.ts";
import { decodeMessage } from "../wire/decode.ts";
import type { ServerCall } from "./call.ts";
import type { ServerFault } from "./faults.ts";
import { QuicServer } from "./server.ts";

// One test per row of spec 1.8, over a real socket. After each one the same connection must still answer calls.

const faults: ServerFault[] = [];
const calls: ServerCall[] = [];
let server: QuicServer;
let connection: QuicConnection;

before(async () => {
  const onFault = (fault: ServerFault): void => void faults.push(fault);
  server = await QuicServer.listen({ frameReadTimeoutMs: 200, faultIntervalMs: 0, onCall: answer, onFault });
  connection = await connectRaw(server);
});
after(async () => {
  await connection.close();
  await server.close();
});

/** Tells the caller what has arrived: instance id and checkpoint id come back as the state. */
function answer(call: ServerCall): void {
  calls.push(call);
  const { request } = call;
  if (request.case === "checkpoint") {
    const { instanceId, checkpointId } = request.value;
    const wantsTooMuch = instanceId === "huge";
    const state = wantsTooMuch
      ? new Uint8Array(limits.framePayloadBytesMax)
      : Buffer.from(`${instanceId}/${checkpointId}`);
    call.respond({ $typeName: "runtara.instance.CheckpointResponse", found: false, state });
  } else if (request.case === "registerInstance") {
    const { instanceId, tenantId } = request.value;
    call.respond({
      $typeName: "runtara.instance.RegisterInstanceResponse",
      success: true,
      error: `${instanceId}/${tenantId}`,
      features: [],
    });
  } else if (request.case === "sleep") {
    call.respond({ $typeName: "runtara.instance.SleepResponse" });
  } else {
    throw new Error(`no call of these tests: ${request.case}`);
  }
}

const checkpoint = (instanceId: string): Uint8Array =>
  encodeRequest(create(CheckpointRequestSchema, { instanceId, checkpointId: "c" }));
const frame = (instanceId: string): Uint8Array => encodeFrame(frameType.request, checkpoint(instanceId));

function response(bytes: Buffer): ReturnType<typeof decodeMessage<typeof RpcResponseSchema>>["response"] {
  const { type, payload } = onlyFrame(bytes);
  assert.equal(type, frameType.response);
  return decodeMessage(RpcResponseSchema, payload).response;
}

function echoed(bytes: Buffer): string {
  const answered = response(bytes);
  assert.ok(answered.case === "checkpoint");
  return Buffer.from(answered.value.state).toString();
}

async function stillAnswers(): Promise<void> {
  assert.equal(echoed(await exchange(connection, frame("next"))), "next/c");
}

async function closesSilently(bytes: Uint8Array, fin: boolean, reason: RegExp): Promise<void> {
  const before = { calls: calls.length, faults: faults.length };
  assert.equal((await exchange(connection, bytes, fin)).length, 0);
  assert.equal(calls.length, before.calls);
  assert.equal(faults.length, before.faults + 1);
  assert.equal(faults.at(-1)?.kind, "streamClosed");
  assert.match(faults.at(-1)?.message ?? "", reason);
  await stillAnswers();
}

async function answersError(bytes: Uint8Array, fin: boolean, code: string, message: RegExp): Promise<void> {
  const before = calls.length;
  const answered = response(await exchange(connection, bytes, fin));
  assert.ok(answered.case === "error");
  assert.equal(answered.value.code, code);
  assert.match(answered.value.message, message);
  assert.equal(calls.length, before);
  await stillAnswers();
}

for (const type of [0, 7, 65_535]) {
  const header = hex(`00000000 ${type.toString(16).padStart(4, "0")}`);
  test(`unknown type ${type}: silent close`, () =>
    closesSilently(header, true, RegExp(`invalid message type: ${type}$`)));
}

test("unknown type is found before the length is looked at", () =>
  closesSilently(hex("ffffffff 0007"), false, /invalid message type: 7$/));

test("length over 64 MiB: silent close, although nothing of the payload was sent", () =>
  closesSilently(hex("04000001 0001"), false, /frame too large: 67108865 bytes \(max: 67108864\)/));

test("FIN before any byte: silent close", () => closesSilently(hex(""), true, /unexpected end of frame/));

test("FIN inside the header: silent close", () => closesSilently(hex("00000003 00"), true, /unexpected end of frame/));

test("FIN inside the payload: silent close", () =>
  closesSilently(hex("00000003 0001 0102"), true, /unexpected end of frame/));

for (const [when, bytes] of [
  ["as the first thing on the stream", ""],
  ["inside the header", "000000"],
  ["inside the payload", "00000003 0001 01"],
] as const) {
  test(`RESET_STREAM ${when}: silent close`, async () => {
    const before = calls.length;
    const stream = await connection.openStream();
    if (bytes !== "") await stream.write(hex(bytes));
    stream.reset(9);
    assert.equal((await readAll(stream)).length, 0);
    assert.equal(calls.length, before);
    await stillAnswers();
  });
}

test("payload that is no valid Protobuf: BAD_REQUEST with the reason", () =>
  answersError(encodeFrame(1, hex("42 05 0a")), true, "BAD_REQUEST", /protobuf decode error: .*length 5/));

test("text that is not UTF-8: BAD_REQUEST naming the field", () =>
  answersError(encodeFrame(1, hex("42 04 0a 02 c3 28")), true, "BAD_REQUEST", /instance_id .*not valid UTF-8/));

test("empty payload: EMPTY_REQUEST", () =>
  answersError(hex("00000000 0001"), true, "EMPTY_REQUEST", /^RpcRequest contained no request$/));

test("only unknown members: EMPTY_REQUEST", () =>
  answersError(encodeFrame(1, hex("ba3e03616263 b03e01")), true, "EMPTY_REQUEST", /^RpcRequest contained no request$/));

test("several members set: the last one wins", async () => {
  const answered = response(await exchange(connection, encodeFrame(1, hex("0a030a0169 2200"))));
  assert.equal(answered.case, "sleep");
});

test("neighbouring occurrences of one member: merged field by field", async () => {
  const answered = response(await exchange(connection, encodeFrame(1, hex("0a030a0169 0a03120174"))));
  assert.ok(answered.case === "registerInstance");
  assert.equal(answered.value.error, "i/t");
});

test("every valid type is a request", async () => {
  for (let type = 1; type <= limits.frameTypeMax; type++) {
    assert.equal(echoed(await exchange(connection, encodeFrame(type, checkpoint(`type${type}`)))), `type${type}/c`);
  }
});

test("trailing bytes and a second frame are ignored", async () => {
  assert.equal(echoed(await exchange(connection, Buffer.concat([frame("a"), hex("ff")]))), "a/c");
  const before = calls.length;
  assert.equal(echoed(await exchange(connection, Buffer.concat([frame("a"), frame("b")]))), "a/c");
  assert.equal(calls.length, before + 1);
});

test("a client that never sends FIN is answered all the same", async () => {
  assert.equal(echoed(await exchange(connection, frame("open"), false)), "open/c");
  await stillAnswers();
});

for (const [where, bytes] of [
  ["the header", "0000"],
  ["the payload", "00000010 0001 4207"],
] as const) {
  test(`a client that stalls inside ${where}: BAD_REQUEST when the time is up`, () =>
    answersError(hex(bytes), false, "BAD_REQUEST", /did not arrive whole in time/));
}

test("a client that no longer wants the answer: the request is carried out, nothing else is touched", async () => {
  const before = calls.length;
  const stream = await connection.openStream();
  stream.stop(0);
  await stream.write(frame("gone"));
  await stream.finish().catch(() => undefined);
  while (calls.length === before) await stillAnswers();
  assert.ok(calls.some((call) => call.request.case === "checkpoint" && call.request.value.instanceId === "gone"));
  await stillAnswers();
});

test("a response over 64 MiB: silent close", async () => {
  assert.equal((await exchange(connection, frame("huge"))).length, 0);
  assert.equal(faults.at(-1)?.kind, "responseTooLarge");
  assert.match(faults.at(-1)?.message ?? "", /frame too large: 67108874 bytes/);
  await stillAnswers();
});

test("I10: any bytes on any stream leave the connection's other calls alone", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), async (streams) => {
      const odd = streams.map((bytes) => exchange(connection, bytes));
      await stillAnswers();
      for (const bytes of await Promise.all(odd)) if (bytes.length > 0) assert.equal(onlyFrame(bytes).type, 2);
    }),
    { seed, numRuns: 30 },
  );
});

test("a stream without a byte is invisible", async () => {
  const before = { calls: calls.length, faults: faults.length };
  const silent = await connection.openStream();
  await stillAnswers();
  assert.equal(calls.length, before.calls + 1);
  assert.equal(faults.length, before.faults);
  silent.reset(0);
  silent.stop(0);
});
