import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { IncomingCall } from "./index.ts";
import { bytes, dial, failure, isEqual, later, pair, serve } from "./peers.test.helper.ts";

const mebibyte = 2 ** 20;
const text = (value: string): Uint8Array => Buffer.from(value);

test("payloads of every size come back unchanged", async (t) => {
  const connection = await pair(t);
  for (const size of [0, 1, 65_535, 65_536, 65_537, mebibyte, 64 * mebibyte]) {
    const payload = bytes(size, size + 1);
    const answer = await connection.call(1, payload);
    assert.equal(answer.type, 2);
    assert.ok(isEqual(answer.payload, payload), `${size} bytes`);
  }
});

test("a payload over the limit is refused before anything is sent, on both sides", async (t) => {
  const refusals: unknown[] = [];
  const onCall = (call: IncomingCall): void => {
    try {
      call.respond(2, new Uint8Array(64 * mebibyte + 1));
    } catch (error) {
      refusals.push(error);
      call.respond(2, call.payload);
    }
  };
  const connection = await pair(t, { onCall });
  await failure(connection.call(1, new Uint8Array(64 * mebibyte + 1)), "FRAME_TOO_LARGE");
  assert.equal((await connection.call(1, text("still open"))).payload.length, 10);
  await failure(Promise.reject(refusals[0]), "FRAME_TOO_LARGE");
  for (const type of [0, 7, 1.5, Number.NaN, 65_537]) {
    await failure(connection.call(type, text("")), "FRAME_TYPE_INVALID");
  }
});

test("10,000 calls at once, each with its own answer", async (t) => {
  const connection = await pair(t);
  const answers = await Promise.all(
    Array.from({ length: 10_000 }, (_, index) => connection.call(1 + (index % 6), text(`call ${index}`))),
  );
  for (const [index, answer] of answers.entries()) {
    assert.equal(Buffer.from(answer.payload).toString(), `call ${index}`);
  }
});

test("calls of mixed sizes side by side on several connections keep apart", async (t) => {
  const listener = await serve(t);
  const connections = await Promise.all([1, 2, 3].map(() => dial(t, listener)));
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  t.diagnostic(`seed ${seed}`);
  const sizes = fc.array(fc.oneof(fc.nat(300), fc.integer({ min: 60_000, max: 150_000 })), {
    minLength: 1,
    maxLength: 60,
  });
  const property = fc.asyncProperty(sizes, async (lengths) => {
    const calls = lengths.map(async (length, index) => {
      const payload = bytes(length, length + index);
      const answer = await connections[index % 3]?.call(1, payload);
      assert.ok(answer !== undefined && isEqual(answer.payload, payload), `call ${index} of ${length} bytes`);
    });
    await Promise.all(calls);
  });
  await fc.assert(property, { numRuns: 40, seed });
});

test("answers may come later and in another order", async (t) => {
  const held: IncomingCall[] = [];
  const connection = await pair(t, {
    onCall: (call) => (call.type === 1 ? held.push(call) : call.respond(2, call.payload)),
  });
  let isAnswered = false;
  const first = connection.call(1, text("first")).finally(() => {
    isAnswered = true;
  });
  await connection.call(2, text("second"));
  await connection.call(2, text("third"));
  assert.equal(isAnswered, false);
  for (const call of held) call.respond(2, call.payload);
  assert.equal(Buffer.from((await first).payload).toString(), "first");
});

test("onDrained follows the calls of each batch", async (t) => {
  const waiting: IncomingCall[] = [];
  const batches: number[] = [];
  const onDrained = (): void => {
    if (waiting.length > 0) batches.push(waiting.length);
    for (const call of waiting.splice(0)) call.respond(2, call.payload);
  };
  const connection = await pair(t, { onCall: (call) => waiting.push(call), onDrained });
  await Promise.all(Array.from({ length: 500 }, () => connection.call(1, text("x"))));
  assert.equal(
    batches.reduce((sum, size) => sum + size, 0),
    500,
  );
  assert.ok(batches.length < 500, `${batches.length} batches for 500 calls`);
});

test("payloads stay as they are long after their batch", async (t) => {
  const kept: Uint8Array[] = [];
  const connection = await pair(t, {
    onCall: (call) => {
      kept.push(call.payload);
      call.respond(2, call.payload);
    },
  });
  for (let index = 0; index < 300; index++) await connection.call(1, bytes(100, index + 1));
  for (const [index, payload] of kept.entries()) assert.ok(isEqual(payload, bytes(100, index + 1)), `payload ${index}`);
});

test("a silent close fails only its own call", async (t) => {
  const connection = await pair(t, {
    onCall: (call) => (call.type === 1 ? call.finish() : call.respond(2, call.payload)),
  });
  const [silent, answered] = await Promise.allSettled([connection.call(1, text("")), connection.call(2, text("ok"))]);
  assert.equal(silent.status, "rejected");
  await failure(Promise.reject(silent.status === "rejected" ? silent.reason : undefined), "STREAM_ENDED");
  assert.equal(answered.status, "fulfilled");
});

test("a reset fails the call with the peer's code", async (t) => {
  const connection = await pair(t, { onCall: (call) => call.reset(4_294_967_299) });
  const error = await failure(connection.call(1, text("")), "STREAM_RESET");
  assert.equal(error.resetCode, 4_294_967_299n);
});

test("fire-and-forget resolves when the peer has ended its side", async (t) => {
  const seen: string[] = [];
  const connection = await pair(t, {
    onCall: (call) => {
      seen.push(Buffer.from(call.payload).toString());
      if (call.type === 1) call.finish();
      else if (call.type === 2) call.reset(0);
      else call.respond(2, text("thrown away"));
    },
  });
  await Promise.all([
    connection.send(1, text("fin")),
    connection.send(2, text("reset 0")),
    connection.send(3, text("answer")),
  ]);
  assert.deepEqual(seen.sort(), ["answer", "fin", "reset 0"]);
  const refused = await pair(t, { onCall: (call) => call.reset(9) });
  await failure(refused.send(1, text("")), "STREAM_RESET");
});

test("a call beyond the peer's stream limit waits for a stream", async (t) => {
  const connection = await pair(t, {}, { transport: { maxBidiStreams: 2 } });
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => connection.call(1, text(`${index}`))));
  assert.deepEqual(
    answers.map((answer) => Buffer.from(answer.payload).toString()),
    answers.map((_, index) => `${index}`),
  );
});

test("a time-out gives up the stream and nothing else", async (t) => {
  const held = later<IncomingCall>();
  const aborted = later<void>();
  const connection = await pair(t, {
    onCall: (call) => {
      if (call.type === 2) call.respond(2, call.payload);
      else {
        call.onAborted = () => aborted.resolve();
        held.resolve(call);
      }
    },
  });
  await failure(connection.call(1, text("never"), { timeoutMs: 30 }), "CALL_TIMEOUT");
  await aborted.promise;
  const call = await held.promise;
  assert.equal(call.isAborted, true);
  call.respond(2, text("too late"));
  assert.equal((await connection.call(2, text("next"), { timeoutMs: 10_000 })).payload.length, 4);
});

test("an abort signal gives up the stream, before, while waiting for a stream, and while waiting for the answer", async (t) => {
  const held = later<IncomingCall>();
  const options = { transport: { maxBidiStreams: 1 } };
  const connection = await pair(t, { onCall: (call) => held.resolve(call) }, options);
  await failure(connection.call(1, text(""), { signal: AbortSignal.abort("why") }), "CALL_ABORTED");
  const [answer, stream] = [new AbortController(), new AbortController()];
  const inFlight = connection.call(1, text("a"), { signal: answer.signal });
  const waiting = connection.call(1, text("b"), { signal: stream.signal });
  const first = await held.promise;
  stream.abort("no stream");
  assert.equal((await failure(waiting, "CALL_ABORTED")).cause, "no stream");
  answer.abort();
  await failure(inFlight, "CALL_ABORTED");
  first.finish();
  assert.equal(connection.isOpen, true);
});

test("an incoming call ends once", async (t) => {
  const codes: unknown[] = [];
  const connection = await pair(t, {
    onCall: (call) => {
      call.respond(2, call.payload);
      for (const again of [
        () => call.respond(2, call.payload),
        () => call.finish(),
        () => call.reset(1),
        () => call.stream(),
      ]) {
        assert.throws(again, (error: { code: string }) => codes.push(error.code) > 0);
      }
    },
  });
  assert.equal((await connection.call(1, text("once"))).payload.length, 4);
  assert.deepEqual(codes, ["CALL_FINISHED", "CALL_FINISHED", "CALL_FINISHED", "CALL_FINISHED"]);
});

test("unanswered calls hear of the end of their connection", async (t) => {
  const aborted = later<void>();
  const held = later<IncomingCall>();
  const listener = await serve(t, {
    onCall: (call) => {
      call.onAborted = () => aborted.resolve();
      held.resolve(call);
    },
  });
  const connection = await dial(t, listener);
  const call = failure(connection.call(1, text("")), "CONNECTION_CLOSED");
  const incoming = await held.promise;
  assert.equal(incoming.isAborted, false);
  await connection.close(3, "gone");
  await call;
  await aborted.promise;
  assert.equal(incoming.isAborted, true);
  incoming.respond(2, text("into the void"));
});
