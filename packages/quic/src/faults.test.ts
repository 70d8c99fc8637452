import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallFault, IncomingCall, QuicConnection, QuicStream } from "./index.ts";
import { dial, echo, failure, framed, later, pair, serve } from "./peers.test.helper.ts";

const none = new Uint8Array(0);

interface Seen {
  readonly fault: CallFault | undefined;
  readonly detail: number;
}

/** Sends bytes on a raw stream and gives back what the server made of them and whether its side ended silently. */
async function provoke(
  t: Parameters<typeof pair>[0],
  act: (stream: QuicStream) => Promise<unknown>,
  frame: Parameters<typeof serve>[2] = {},
): Promise<Seen> {
  const seen = later<Seen>();
  const onCall = (call: IncomingCall): void => {
    if (call.type === 6) call.respond(2, call.payload);
    else {
      seen.resolve({ fault: call.fault, detail: call.faultDetail });
      call.finish();
    }
  };
  const connection = await pair(t, { onCall }, frame);
  const stream = await connection.openStream();
  await act(stream);
  const outcome = await seen.promise;
  if (outcome.fault !== undefined)
    assert.equal(await stream.read(), undefined, "the server ends its side without a byte");
  assert.equal((await connection.call(6, Buffer.from("others"))).payload.length, 6, "other calls go on");
  return outcome;
}

for (const type of [0, 7, 8, 255, 256, 65_535]) {
  test(`type ${type} is refused, whatever the length`, async (t) => {
    const bytes = framed(type, none, 0xffff_ffff);
    const seen = await provoke(t, (stream) => stream.write(bytes));
    assert.deepEqual(seen, { fault: "FRAME_TYPE_INVALID", detail: type });
  });
}

test("a length over the limit is refused by its header alone", async (t) => {
  const seen = await provoke(t, (stream) => stream.write(framed(1, none, 2 ** 26 + 1)));
  assert.deepEqual(seen, { fault: "FRAME_TOO_LARGE", detail: 2 ** 26 + 1 });
});

for (const [where, sent] of [
  ["before any byte", 0],
  ["inside the header", 4],
  ["inside the payload", 8],
] as const) {
  test(`FIN ${where}`, async (t) => {
    const seen = await provoke(t, async (stream) => {
      await stream.write(framed(1, Buffer.from("payload")).subarray(0, sent));
      await stream.finish();
    });
    assert.deepEqual(seen, { fault: "FRAME_TRUNCATED", detail: sent });
  });
}

test("a reset inside a frame", async (t) => {
  const seen = await provoke(t, async (stream) => {
    await stream.write(framed(1, none, 100));
    stream.reset(77);
  });
  // The reset may overtake the bytes; either way it is what the server sees.
  assert.deepEqual(seen, { fault: "STREAM_RESET", detail: 77 });
});

test("a reset as the first thing on a stream", async (t) => {
  const seen = await provoke(t, async (stream) => stream.reset(5));
  assert.deepEqual(seen, { fault: "STREAM_RESET", detail: 5 });
});

test("a frame that stalls runs into its deadline; a stream without bytes does not", async (t) => {
  const calls: IncomingCall[] = [];
  const stalled = later<void>();
  const onCall = (call: IncomingCall): void => {
    calls.push(call);
    call.finish();
    if (calls.length === 2) stalled.resolve();
  };
  const connection = await pair(t, { onCall }, { frame: { readTimeoutMs: 40 } });
  const [silent, inHeader, inPayload] = await Promise.all([1, 2, 3].map(() => connection.openStream()));
  await inHeader?.write(framed(1, none).subarray(0, 3));
  await inPayload?.write(framed(1, Buffer.from("abc"), 1000));
  await stalled.promise;
  assert.deepEqual(calls.map((call) => [call.fault, call.faultDetail]).sort(), [
    ["FRAME_TIMEOUT", 3],
    ["FRAME_TIMEOUT", 9],
  ]);
  await silent?.write(framed(1, none));
  assert.equal(await silent?.read(), undefined);
});

test("a frame that keeps coming outlives the deadline", async (t) => {
  const connection = await pair(t, {}, { frame: { readTimeoutMs: 600 } });
  const stream = await connection.openStream();
  const frame = framed(1, Buffer.from("slow but steady"));
  for (let at = 0; at < frame.length; at += 3) {
    await stream.write(frame.subarray(at, at + 3));
    await new Promise((resolve) => setTimeout(resolve, 80));
  }
  const answer = await stream.read();
  assert.deepEqual(answer, Uint8Array.from(framed(2, Buffer.from("slow but steady"))));
});

test("claimed lengths cost no memory and no other call", async (t) => {
  const connection = await pair(t);
  const before = process.memoryUsage().rss;
  const streams: QuicStream[] = [];
  for (let count = 0; count < 500; count++) {
    // Written at once: a server allows all streams only when it has seen half of the first ones.
    const stream = await connection.openStream();
    await stream.write(framed(1, Buffer.from("abc"), 64 * 2 ** 20));
    streams.push(stream);
  }
  for (let round = 0; round < 20; round++) await connection.call(1, Buffer.from("small"));
  const grownBytes = process.memoryUsage().rss - before;
  assert.ok(grownBytes < 64 * 2 ** 20, `${grownBytes} bytes more than before`);
  for (const stream of streams) stream.reset(0);
});

test("a frame larger than the connection's buffer budget is refused", async (t) => {
  const limits = { frame: { connectionBufferBytesMax: 100_000 } };
  const seen = await provoke(t, (stream) => stream.write(framed(1, none, 100_001)), limits);
  assert.deepEqual(seen, { fault: "BUFFER_EXHAUSTED", detail: 100_001 });
});

test("large frames share the budget: they wait for room, and one that waits too long is refused", async (t) => {
  const refused = later<CallFault | undefined>();
  const onCall = (call: IncomingCall): void => {
    echo(call);
    if (call.fault !== undefined) refused.resolve(call.fault);
  };
  const limits = { frame: { connectionBufferBytesMax: 150_000, readTimeoutMs: 100 } };
  const connection = await pair(t, { onCall }, limits);
  const answers = await Promise.all(Array.from({ length: 8 }, () => connection.call(1, new Uint8Array(100_000))));
  assert.equal(answers.length, 8, "frames that keep coming take turns");
  // Both keep sending; whichever has the room does not stall, so it is the other that gives up.
  const rivals = await Promise.all([connection.openStream(), connection.openStream()]);
  await Promise.all(rivals.map((stream) => stream.write(framed(1, none, 100_000))));
  const drip = setInterval(() => {
    for (const stream of rivals) stream.write(new Uint8Array(10)).catch(() => {});
  }, 10);
  t.after(() => clearInterval(drip));
  assert.equal((await connection.call(1, Buffer.from("small"))).payload.length, 5, "small frames need no room");
  assert.equal(await refused.promise, "BUFFER_EXHAUSTED");
});

test("a missing FIN and bytes behind the frame are harmless", async (t) => {
  const connection = await pair(t);
  const stream = await connection.openStream();
  await stream.write(Buffer.concat([framed(1, Buffer.from("one")), framed(1, Buffer.from("two"))]));
  assert.deepEqual(await stream.read(), Uint8Array.from(framed(2, Buffer.from("one"))));
  assert.equal(await stream.read(), undefined);
});

test("a late stop and a late reset are noise", async (t) => {
  const connection = await pair(t);
  const stream = await connection.openStream();
  await stream.write(framed(1, Buffer.from("x")));
  assert.ok((await stream.read()) !== undefined);
  stream.stop(0);
  stream.reset(0);
  assert.equal((await connection.call(1, Buffer.from("fine"))).payload.length, 4);
});

async function answerWith(
  t: Parameters<typeof pair>[0],
  act: (stream: QuicStream) => Promise<unknown>,
): Promise<QuicConnection> {
  const listener = await serve(t, { onCall: (call) => void act(call.stream()) });
  return dial(t, listener);
}

test("the client judges answers by the same rules", async (t) => {
  const badType = await answerWith(t, (stream) => stream.write(framed(9, none)));
  await failure(badType.call(1, none), "FRAME_TYPE_INVALID");
  const tooLarge = await answerWith(t, (stream) => stream.write(framed(2, none, 2 ** 26 + 1)));
  await failure(tooLarge.call(1, none), "FRAME_TOO_LARGE");
  const cut = await answerWith(t, async (stream) => {
    await stream.write(framed(2, Buffer.from("abc"), 10));
    await stream.finish();
  });
  await failure(cut.call(1, none), "STREAM_ENDED");
  const reset = await answerWith(t, async (stream) => {
    await stream.write(framed(2, Buffer.from("abc"), 10));
    stream.reset(12);
  });
  assert.equal((await failure(reset.call(1, none), "STREAM_RESET")).resetCode, 12n);
});

test("an answer that stalls half-way fails the call after the read deadline", async (t) => {
  const listener = await serve(t, { onCall: (call) => void call.stream().write(framed(2, Buffer.from("abc"), 10)) });
  const connection = await dial(t, listener, { frame: { readTimeoutMs: 40 } });
  await failure(connection.call(1, none), "CALL_TIMEOUT");
  assert.equal(connection.isOpen, true);
});

test("bytes behind a client's answer are ignored", async (t) => {
  const connection = await answerWith(t, (stream) =>
    stream.write(Buffer.concat([framed(2, Buffer.from("answer")), Buffer.from("noise")])),
  );
  assert.equal(Buffer.from((await connection.call(1, none)).payload).toString(), "answer");
});
