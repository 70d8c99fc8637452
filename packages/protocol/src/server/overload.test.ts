import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { QuicClient } from "../client/client.ts";
import { request, sendRequest } from "../client/send-request.ts";
import { isProtocolError } from "../errors.ts";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import { limits } from "../limits.ts";
import { testOnEach } from "../testing/each-transport.ts";
import type { ServerCall } from "./call.ts";
import type { ServerFault } from "./faults.ts";
import { QuicServer } from "./server.ts";

const poll = create(instance.PollSignalsRequestSchema, { instanceId: "i" });
const nothing = create(instance.PollSignalsResponseSchema);
const checkpoint = (bytes: number): instance.CheckpointRequest =>
  create(instance.CheckpointRequestSchema, { state: new Uint8Array(bytes) });

/** Calls that a handler keeps, and promises of how many there are. */
class Kept {
  readonly calls: ServerCall[] = [];
  #wake = (): void => {};

  readonly keep = (call: ServerCall): void => {
    this.calls.push(call);
    this.#wake();
  };

  async count(count: number): Promise<void> {
    while (this.calls.length < count) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  answerAll(): void {
    for (const call of this.calls.splice(0)) {
      if (call.request.case === "checkpoint") call.respond(create(instance.CheckpointResponseSchema));
      else if (call.request.case === "pollSignals") call.respond(nothing);
      else call.finish();
    }
  }
}

/** What a client sees of a call that was not carried out and has neither answer nor epoch. */
const undone = { code: "STREAM_RESET", resetCode: 2n };

function overloaded(rpcCode: string, option: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isProtocolError(error), String(error));
    const { code, fineCode, isRetryable, retryAfterMs = 0, message } = error;
    assert.deepEqual([code, error.rpcCode, fineCode, isRetryable], ["RPC", rpcCode, "OVERLOADED", true]);
    assert.ok(message.includes(`(${option})`), message);
    assert.ok(retryAfterMs >= limits.retryAfterMsMin / 2 && retryAfterMs <= limits.retryAfterMsMax, `${retryAfterMs}`);
    return true;
  };
}

testOnEach("calls over maxOpenCalls are refused at once with the operation's code", async (transport) => {
  const kept = new Kept();
  const faults: ServerFault[] = [];
  await using server = await QuicServer.listen({
    transport,
    maxOpenCalls: 2,
    onCall: kept.keep,
    onFault: (fault) => faults.push(fault),
  });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });
  const held = [sendRequest(client, poll), sendRequest(client, poll)];
  await kept.count(2);
  await assert.rejects(sendRequest(client, poll), overloaded("POLL_SIGNALS_ERROR", "maxOpenCalls"));
  await assert.rejects(
    request(client, instance.SleepRequestSchema, { durationMs: 1n }),
    overloaded("SLEEP_ERROR", "maxOpenCalls"),
  );
  assert.equal(kept.calls.length, 2);
  // An acknowledgement is never refused, unless it is none by its size.
  const ack = request(client, instance.SignalAckSchema, { instanceId: "i" });
  await kept.count(3);
  kept.calls.pop()?.finish();
  await ack;
  const large = request(client, instance.SignalAckSchema, { instanceId: "i".repeat(limits.acknowledgementBytesMax) });
  await assert.rejects(large, undone);
  assert.equal(kept.calls.length, 2);

  const { openCalls, refused, callsTotal, faults: counts } = server.stats();
  assert.deepEqual([openCalls, refused.openCalls, callsTotal, counts.overloaded], [2, 3, 3, 3]);
  assert.deepEqual(
    faults.map(({ kind, count, operation }) => [kind, count, operation]),
    [["overloaded", 1, "pollSignals"]],
  );

  kept.answerAll();
  await Promise.all(held);
  const next = sendRequest(client, poll);
  await kept.count(1);
  kept.answerAll();
  await next;
  assert.equal(server.stats().openCalls, 0);
});

testOnEach("I1: refused calls without an answer are never taken for acknowledged", async (transport) => {
  const kept = new Kept();
  await using server = await QuicServer.listen({ transport, maxOpenCalls: 1, onCall: kept.keep });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });
  const held = sendRequest(client, poll);
  await kept.count(1);
  // 1.4.1 has no epoch and looks at nothing; whoever looks must not find the end that says "done".
  const connection = await client.connect();
  const batch = request(connection, instance.InstanceEventBatchSchema, { events: [{ instanceId: "i" }] });
  const rejected = assert.rejects(batch, undone);
  while ([...connection.unacknowledged].length === 0) await Promise.resolve();
  await assert.rejects(client.flush(), undone);
  await rejected;
  await assert.rejects(request(client, instance.RetryAttemptEventSchema, { instanceId: "i" }), undone);

  const events = [{ instanceId: "i" }, { instanceId: "i", epoch: 3n }];
  await assert.rejects(
    request(client, instance.InstanceEventBatchSchema, { events }),
    overloaded("INSTANCE_EVENT_BATCH_ERROR", "maxOpenCalls"),
  );
  await assert.rejects(
    request(client, instance.RetryAttemptEventSchema, { instanceId: "i", epoch: 3n }),
    overloaded("RETRY_ATTEMPT_ERROR", "maxOpenCalls"),
  );
  assert.equal(kept.calls.length, 1);
  kept.answerAll();
  await held;
});

testOnEach("bytes of unanswered requests are bounded, per connection and for all", async (transport) => {
  const kept = new Kept();
  await using server = await QuicServer.listen({
    transport,
    maxBytesInFlight: 10_000,
    maxConnectionBytesInFlight: 6_000,
    onCall: kept.keep,
  });
  await using one = QuicClient.localhost({ transport, serverAddr: server.address });
  await using other = QuicClient.localhost({ transport, serverAddr: server.address });
  const held = [sendRequest(one, checkpoint(5_000))];
  await kept.count(1);
  await assert.rejects(
    sendRequest(one, checkpoint(2_000)),
    overloaded("CHECKPOINT_ERROR", "maxConnectionBytesInFlight"),
  );
  held.push(sendRequest(other, checkpoint(4_000)));
  await kept.count(2);
  await assert.rejects(sendRequest(other, checkpoint(1_500)), overloaded("CHECKPOINT_ERROR", "maxBytesInFlight"));
  const { bytesInFlight, refused } = server.stats();
  assert.ok(bytesInFlight > 9_000 && bytesInFlight < 9_100, `${bytesInFlight}`);
  assert.deepEqual([refused.bytesInFlight, refused.connectionBytesInFlight], [1, 1]);
  kept.answerAll();
  await Promise.all(held);
  assert.equal(server.stats().bytesInFlight, 0);
  // Larger than every limit, but alone.
  const large = sendRequest(one, checkpoint(50_000));
  await kept.count(1);
  kept.answerAll();
  await large;
});

testOnEach("a request over maxFrameBytes is told so, an answer may be larger", async (transport) => {
  const state = new Uint8Array(300_000).fill(7);
  await using server = await QuicServer.listen({
    transport,
    maxFrameBytes: 100_000,
    onCall: (call) => call.respond(create(instance.CheckpointResponseSchema, { found: true, state })),
  });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });
  await assert.rejects(sendRequest(client, checkpoint(200_000)), (error) => {
    assert.ok(isProtocolError(error) && error.rpcCode === "BAD_REQUEST", String(error));
    return /^frame too large: 2000\d\d bytes \(max: 100000, maxFrameBytes\)$/.test(error.message);
  });
  const answer = await sendRequest(client, checkpoint(1_000));
  assert.ok(Buffer.from(answer.state).equals(state));
  while (server.stats().openCalls > 0) await new Promise(setImmediate);
});

testOnEach("a flood of refused calls is reported in numbers, not one by one", async (transport) => {
  const kept = new Kept();
  const faults: ServerFault[] = [];
  const server = await QuicServer.listen({
    transport,
    maxOpenCalls: 1,
    onCall: kept.keep,
    onFault: (fault) => faults.push(fault),
  });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });
  const held = sendRequest(client, poll).catch(() => undefined);
  await kept.count(1);
  const refused = await Promise.allSettled(Array.from({ length: 500 }, () => sendRequest(client, poll)));
  assert.ok(refused.every(({ status }) => status === "rejected"));
  await server.close();
  await held;
  assert.ok(faults.length < 20, `${faults.length} reports`);
  assert.equal(
    faults.reduce((sum, { count }) => sum + count, 0),
    500,
  );
});

testOnEach("a slow iterator does not queue without bound: what waits for it counts as open", async (transport) => {
  await using server = await QuicServer.listen({ transport, maxOpenCalls: 3 });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });
  const connections = server[Symbol.asyncIterator]();
  const sent = Array.from({ length: 3 }, () => sendRequest(client, poll));
  const connection = await connections.next();
  assert.ok(!connection.done);
  while (server.stats().openCalls < 3) await new Promise(setImmediate);
  await assert.rejects(sendRequest(client, poll), overloaded("POLL_SIGNALS_ERROR", "maxOpenCalls"));
  let served = 0;
  for await (const call of connection.value) {
    call.respond(nothing);
    if (++served === 3) break;
  }
  await Promise.all(sent);
  assert.equal(server.stats().openCalls, 0);
});

testOnEach(
  "connections that nobody has iterated go when they end; calls that expire leave the queue",
  async (transport) => {
    await using server = await QuicServer.listen({ transport, requestTimeoutMs: 50 });
    for (let i = 0; i < 5; i++) {
      const client = QuicClient.localhost({ transport, serverAddr: server.address });
      await client.connect();
      await client.close();
    }
    await using client = QuicClient.localhost({ transport, serverAddr: server.address });
    await assert.rejects(sendRequest(client, poll), { fineCode: "DEADLINE_EXCEEDED" });
    while (server.stats().connections > 1) await new Promise(setImmediate);
    const sleeping = sendRequest(client, create(instance.SleepRequestSchema));
    while (server.stats().openCalls === 0) await new Promise(setImmediate);
    for await (const connection of server) {
      assert.ok(connection.isOpen);
      for await (const call of connection) {
        assert.equal(call.request.case, "sleep");
        call.respond(create(instance.SleepResponseSchema));
        break;
      }
      break;
    }
    await sleeping;
  },
);
