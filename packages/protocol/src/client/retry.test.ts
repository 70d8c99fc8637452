import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import { retryDefaults } from "../limits.ts";
import type { ServerCall } from "../server/call.ts";
import { QuicServer } from "../server/server.ts";
import { seed } from "../testing/messages.ts";
import { memoryTransport } from "../transport/memory/transport.ts";
import type { Transport } from "../transport/port.ts";
import { QuicClient } from "./client.ts";
import type { ClientOptions } from "./options.ts";
import { type FailedTry, retryDelayMs } from "./retry.ts";
import { sendRequest } from "./send-request.ts";

const failed: FailedTry = { number: 1, code: "CONNECTION_LOST", isIdempotent: true, mayHaveArrived: true };
const status = create(instance.GetInstanceStatusRequestSchema, { instanceId: "i" });
const poll = create(instance.PollSignalsRequestSchema, { instanceId: "i", checkpointId: "s" });
const ack = create(instance.SignalAckSchema, { instanceId: "i" });
const soon = { triesMax: 4, delayMsMin: 1, delayMsMax: 2 };

test("policy: what may be repeated", () => {
  assert.equal(retryDelayMs(failed, 0), 25);
  assert.equal(retryDelayMs({ ...failed, isIdempotent: false }, 0), undefined);
  assert.equal(retryDelayMs({ ...failed, isIdempotent: false, mayHaveArrived: false }, 0), 25);
  for (const code of [
    "RPC",
    "CALL_TIMEOUT",
    "CALL_ABORTED",
    "STREAM_ENDED",
    "TLS_FAILED",
    "ENDPOINT_CLOSED",
  ] as const) {
    assert.equal(retryDelayMs({ ...failed, code, mayHaveArrived: false }, 0), undefined, code);
  }
  assert.equal(retryDelayMs({ ...failed, number: retryDefaults.triesMax }, 0), undefined);
});

test("policy: a refusal is repeated as the server says, if nothing was done or the call is idempotent", () => {
  const refused: FailedTry = { ...failed, code: "RPC", isRetryable: true, fineCode: "OVERLOADED" };
  const once = { ...refused, isIdempotent: false };
  assert.equal(retryDelayMs({ ...once, retryAfterMs: 400 }, 0), 400);
  assert.equal(retryDelayMs({ ...once, retryAfterMs: 400 }, 1), 600);
  assert.equal(retryDelayMs(once, 0), 25, "without a hint the policy's own delay");
  assert.equal(retryDelayMs({ ...once, retryAfterMs: 1 }, 0), 25, "and never less");
  assert.equal(retryDelayMs({ ...once, retryAfterMs: retryDefaults.delayMsMax + 1 }, 0), undefined);
  assert.equal(retryDelayMs({ ...once, number: retryDefaults.triesMax }, 0), undefined);
  for (const fineCode of ["DEADLINE_EXCEEDED", "SOMETHING_NEW", undefined]) {
    assert.equal(retryDelayMs({ ...once, fineCode }, 0), undefined, fineCode);
    assert.equal(retryDelayMs({ ...refused, fineCode }, 0), 25, fineCode);
  }
  for (const isRetryable of [false, undefined]) {
    assert.equal(retryDelayMs({ ...refused, isRetryable }, 0), undefined);
  }
});

test("a call that an overloaded server refuses is repeated, whatever it is", async () => {
  const transport = memoryTransport();
  let calls = 0;
  await using server = await QuicServer.listen({
    transport,
    onCall(call) {
      calls++;
      const details = { fineCode: "OVERLOADED", retryable: true, retryAfterMs: 1 } as const;
      if (calls < 3) call.respondError("POLL_SIGNALS_ERROR", "too much to do", details);
      else call.respond(create(instance.PollSignalsResponseSchema));
    },
  });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address, retry: soon });
  await client.call(poll);
  assert.equal(calls, 3);
  calls = -10;
  await assert.rejects(client.call(poll), { code: "RPC", fineCode: "OVERLOADED", isRetryable: true, retryAfterMs: 1 });
  assert.equal(calls, -6);
});

test("policy: the delay doubles up to its maximum and is jittered by half", () => {
  const numbers = fc.integer({ min: 1, max: 1_000 });
  const randoms = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(numbers, randoms, (number, random) => {
      const policy = { triesMax: 2_000, delayMsMin: 10, delayMsMax: 640 };
      const full = Math.min(640, 10 * 2 ** (number - 1));
      const delayMs = retryDelayMs({ ...failed, number }, random, policy) ?? Number.NaN;
      assert.ok(delayMs >= full / 2 && delayMs <= full, `${delayMs} of ${full}`);
    }),
    { seed },
  );
});

test("a policy that cannot be meant is refused, of the client and of one call", async () => {
  const transport = memoryTransport();
  const client = QuicClient.localhost({ transport, serverAddr: "127.0.0.1:7" });
  const bad: [object, RegExp][] = [
    ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY].map((triesMax): [object, RegExp] => [
      { triesMax },
      new RegExp(`^retry\\.triesMax must be a whole number from 1, .*got ${triesMax}$`),
    ]),
    [{ delayMsMin: -1 }, /^retry\.delayMsMin must be .* from 0 to 2147483647, got -1$/],
    [{ delayMsMax: Number.NaN }, /^retry\.delayMsMax must be .*got NaN$/],
    [{ delayMsMax: 2 ** 31 }, /^retry\.delayMsMax must be .*got 2147483648$/],
    [true as unknown as object, /^retry must be false or \{ triesMax, .*got true$/],
  ];
  for (const [retry, message] of bad) {
    const expected = { name: "ProtocolError", code: "OPTION_INVALID", message };
    assert.throws(() => QuicClient.localhost({ transport, retry }), expected);
    await assert.rejects(client.call(status, { retry }), expected);
  }
  for (const retry of [{ triesMax: 1 }, { delayMsMin: 0, delayMsMax: 0 }, {}, false as const]) {
    assert.doesNotThrow(() => QuicClient.localhost({ transport, retry }));
  }
});

test("policy: a wait never is longer than a timer can hold", () => {
  const refused: FailedTry = { ...failed, code: "RPC", isRetryable: true, retryAfterMs: 2 ** 31 - 1 };
  assert.equal(retryDelayMs(refused, 1, { delayMsMax: 2 ** 31 - 1 }), 2 ** 31 - 1);
});

/** A server that closes the connection of its first `cuts` calls, and a client of it. */
async function cutting(
  cuts: number,
  options: ClientOptions = {},
): Promise<{
  seen: string[];
  client: QuicClient;
  transport: Transport;
  end: () => Promise<void>;
}> {
  const transport = memoryTransport();
  const seen: string[] = [];
  const server = await QuicServer.listen({
    transport,
    onCall(call: ServerCall) {
      seen.push(call.request.case);
      if (seen.length <= cuts) call.connection.close(1, "gone");
      else if (call.request.case === "getInstanceStatus")
        call.respond(create(instance.GetInstanceStatusResponseSchema));
      else call.respondError("POLL_SIGNALS_ERROR", "no");
    },
  });
  const client = QuicClient.localhost({ transport, serverAddr: server.address, retry: soon, ...options });
  const end = async (): Promise<void> => {
    await client.close();
    await server.close();
  };
  return { seen, client, transport, end };
}

test("an idempotent call is repeated on a new connection until it is answered", async () => {
  const { seen, client, end } = await cutting(3);
  const answer = await client.request(instance.GetInstanceStatusRequestSchema, { instanceId: "i" });
  assert.equal(answer.$typeName, "runtara.instance.GetInstanceStatusResponse");
  assert.equal(seen.length, 4);
  await end();
});

test("tries are bounded; then the last failure is told", async () => {
  const { seen, client, end } = await cutting(9);
  await assert.rejects(client.call(status), { code: "CONNECTION_CLOSED", closeReason: "gone" });
  assert.equal(seen.length, 4);
  await end();
});

test("sent once: other calls, retry: false, and sendRequest", async () => {
  const { seen, client, end } = await cutting(3);
  await assert.rejects(client.call(poll), { code: "CONNECTION_CLOSED" });
  await assert.rejects(client.call(status, { retry: false }), { code: "CONNECTION_CLOSED" });
  await assert.rejects(sendRequest(client, status), { code: "CONNECTION_CLOSED" });
  assert.equal(seen.length, 3);
  await assert.rejects(client.call(poll), { code: "RPC", rpcCode: "POLL_SIGNALS_ERROR" });
  assert.equal(seen.length, 4);
  await end();
});

test("a call that never left is repeated whatever it is", async () => {
  const transport = memoryTransport();
  const serverAddr = "127.0.0.1:7";
  await using client = QuicClient.localhost({ transport, serverAddr, retry: { ...soon, triesMax: 2_000 } });
  const call = client.call(ack);
  await assert.rejects(sendRequest(client, ack), { code: "CONNECT_FAILED" });
  await using server = await QuicServer.listen({ transport, bindAddr: serverAddr, onCall: (one) => one.finish() });
  assert.equal(await call, undefined);
  assert.equal(server.stats().callsReceived, 1);
});

test("the deadline covers all tries, with the last failure as its cause or itself", async () => {
  const transport = memoryTransport();
  const retry = { triesMax: 1_000_000, delayMsMin: 1, delayMsMax: 1 };
  await using client = QuicClient.localhost({ transport, serverAddr: "127.0.0.1:7", retry });
  await assert.rejects(client.call(status, { timeoutMs: 40 }), (error: Error & { code: string; cause: Error }) => {
    const told = error.code === "CALL_TIMEOUT" ? error.cause : error;
    return (told as Error & { code: string }).code === "CONNECT_FAILED";
  });
  await using server = await QuicServer.listen({ transport, bindAddr: "127.0.0.1:8", onCall: () => {} });
  await using waiting = QuicClient.localhost({ transport, serverAddr: server.address });
  await assert.rejects(waiting.call(status, { timeoutMs: 20 }), { code: "CALL_TIMEOUT" });
  await assert.rejects(waiting.call(status, { timeoutMs: -1 }), { code: "OPTION_INVALID" });
});

test("a signal ends the call between and during tries; the connection lives", async () => {
  const transport = memoryTransport();
  const abort = new AbortController();
  const retry = { delayMsMin: 60_000, delayMsMax: 60_000 };
  await using absent = QuicClient.localhost({ transport, serverAddr: "127.0.0.1:7", retry });
  const pausing = absent.call(status, { signal: abort.signal, timeoutMs: 0 });
  await assert.rejects(absent.connect());
  setImmediate(() => abort.abort());
  await assert.rejects(pausing, { code: "CALL_ABORTED" });

  const arrived = Promise.withResolvers<void>();
  await using server = await QuicServer.listen({ transport, onCall: () => arrived.resolve() });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });
  const during = new AbortController();
  const call = client.call(status, { signal: during.signal });
  const rejected = assert.rejects(call, { code: "CALL_ABORTED" });
  await arrived.promise;
  during.abort();
  await rejected;
  assert.equal(client.isConnected, true);
});

test("closing the client is not repaired by a retry", async () => {
  const transport = memoryTransport();
  const arrived = Promise.withResolvers<void>();
  let calls = 0;
  await using server = await QuicServer.listen({
    transport,
    onCall() {
      calls++;
      arrived.resolve();
    },
  });
  const client = QuicClient.localhost({ transport, serverAddr: server.address, retry: soon });
  const rejected = assert.rejects(client.call(status), { code: "CONNECTION_CLOSED" });
  await arrived.promise;
  await client.close();
  await rejected;
  assert.deepEqual([calls, client.isConnected], [1, false]);
});

test("close waits for acknowledgements of fire-and-forget calls, up to its bound", async () => {
  const transport = memoryTransport();
  const waiting: ServerCall[] = [];
  const arrived = Promise.withResolvers<void>();
  await using server = await QuicServer.listen({
    transport,
    onCall(call) {
      waiting.push(call);
      arrived.resolve();
    },
  });
  const client = QuicClient.localhost({ transport, serverAddr: server.address, drainTimeoutMs: 60_000 });
  const sent = sendRequest(client, ack);
  await arrived.promise;
  const closing = client.close();
  waiting[0]?.finish();
  assert.equal(await sent, undefined);
  await closing;

  const bounded = QuicClient.localhost({ transport, serverAddr: server.address, drainTimeoutMs: 10 });
  const lost = assert.rejects(sendRequest(bounded, ack), { code: "CONNECTION_CLOSED" });
  await bounded.connect();
  await bounded.close();
  await lost;
});
