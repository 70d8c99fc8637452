import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { QuicClient } from "../client/client.ts";
import { openStream } from "../client/rpc-stream.ts";
import { request, sendRequest } from "../client/send-request.ts";
import { environmentProtocol } from "../environment/protocol.ts";
import { isProtocolError } from "../errors.ts";
import * as environment from "../gen/runtara/environment/environment_pb.ts";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import { testOnEach } from "../testing/each-transport.ts";
import type { ServerCall } from "./call.ts";
import { QuicServer } from "./server.ts";

const poll = create(instance.PollSignalsRequestSchema, { instanceId: "i", epoch: 1n });
const sleep = create(instance.SleepRequestSchema, { instanceId: "i", epoch: 1n });
const nothing = create(instance.PollSignalsResponseSchema);

function draining(rpcCode: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isProtocolError(error), String(error));
    assert.deepEqual([error.rpcCode, error.fineCode, error.isRetryable], [rpcCode, "DRAINING", true]);
    assert.ok((error.retryAfterMs ?? 0) > 0);
    return error.message === "the server is shutting down";
  };
}

/** Ends as a connection that the server has closed. */
const serverClosing = { code: "CONNECTION_CLOSED", closeCode: 0n, closeReason: "server closing" };

testOnEach("drain cuts what waits, refuses what is new, finishes the rest, then closes", async (transport) => {
  const calls: ServerCall[] = [];
  const three = Promise.withResolvers<void>();
  const acknowledged = Promise.withResolvers<ServerCall>();
  const whyCut: string[] = [];
  await using server = await QuicServer.listen({
    transport,
    onCall(call) {
      if (call.request.case === "signalAck") {
        acknowledged.resolve(call);
        return;
      }
      if (call.request.case === "sleep") call.onAborted = (why) => whyCut.push(why.code);
      if (calls.push(call) === 3) three.resolve();
    },
  });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });
  const connection = await client.connect();
  const answered = sendRequest(connection, poll);
  const cut = [sleep, sleep].map((message) =>
    assert.rejects(sendRequest(connection, message), draining("SLEEP_ERROR")),
  );
  await three.promise;

  let isDrained = false;
  const report = server.drain({ graceMs: 60_000 });
  void report.then(() => (isDrained = true));
  await Promise.all(cut);
  assert.deepEqual(whyCut, ["ENDPOINT_CLOSED", "ENDPOINT_CLOSED"]);
  await assert.rejects(sendRequest(connection, poll), draining("POLL_SIGNALS_ERROR"));
  await assert.rejects(request(connection, instance.RetryAttemptEventSchema, {}), {
    code: "STREAM_RESET",
    resetCode: 2n,
  });
  await assert.rejects(
    request(connection, instance.RetryAttemptEventSchema, { epoch: 1n }),
    draining("RETRY_ATTEMPT_ERROR"),
  );
  // An acknowledgement is carried out to the end, and waited for.
  const ack = request(connection, instance.SignalAckSchema, { instanceId: "i" });
  const acknowledgement = await acknowledged.promise;
  await using late = QuicClient.localhost({ transport, serverAddr: server.address });
  // Over HTTP/2 it has not connected yet when it is told.
  await assert.rejects(sendRequest(late, poll), (error) => {
    assert.ok(isProtocolError(error) && ["CONNECTION_CLOSED", "CONNECT_FAILED"].includes(error.code), String(error));
    return error.message.includes("server closing");
  });
  const { openCalls, isDraining, refused } = server.stats();
  assert.deepEqual([openCalls, isDraining, refused.draining, isDrained], [2, true, 4, false]);

  for (const call of calls) if (call.request.case === "pollSignals") call.respond(nothing);
  await answered;
  acknowledgement.finish();
  await ack;
  assert.deepEqual(await report, { cutCalls: 2, unansweredCalls: 0 });
  const why = await connection.closed;
  assert.deepEqual([why.by, why.code, why.reason], ["peer", 0n, "server closing"]);
});

testOnEach(
  "a client of 1.4.1 is never told DRAINING, which it takes for good: reset, and closed after its last call",
  async (transport) => {
    const oldPoll = create(instance.PollSignalsRequestSchema, { instanceId: "i" });
    const oldSleep = create(instance.SleepRequestSchema, { instanceId: "i" });
    const undone = { code: "STREAM_RESET", resetCode: 2n };
    const calls = new Map<string, ServerCall>();
    const all = Promise.withResolvers<void>();
    await using server = await QuicServer.listen({
      transport,
      onCall(call) {
        const isNew = "epoch" in call.request.value && call.request.value.epoch !== undefined;
        calls.set(`${isNew ? "new" : "old"} ${call.request.case}`, call);
        if (calls.size === 3) all.resolve();
      },
    });
    await using first = QuicClient.localhost({ transport, serverAddr: server.address });
    await using other = QuicClient.localhost({ transport, serverAddr: server.address });
    const connection = await first.connect();
    const answered = sendRequest(connection, oldPoll);
    const cut = assert.rejects(sendRequest(connection, oldSleep), undone);
    const others = sendRequest(other, poll);
    await all.promise;

    const report = server.drain({ graceMs: 60_000 });
    await cut;
    await assert.rejects(sendRequest(connection, oldPoll), undone);
    assert.equal(connection.isOpen, true, "a call that came before the drain is still under way");
    calls.get("old pollSignals")?.respond(nothing);
    await answered;
    const why = await connection.closed;
    assert.deepEqual([why.by, why.code, why.reason], ["peer", 0n, "server closing"]);
    assert.equal(server.stats().openCalls, 1, "the drain is not over");
    calls.get("new pollSignals")?.respond(nothing);
    await others;
    assert.deepEqual(await report, { cutCalls: 1, unansweredCalls: 0 });
  },
);

testOnEach("whoever waits may end by itself when the drain begins", async (transport) => {
  const sleeping = Promise.withResolvers<void>();
  const waiting: ServerCall[] = [];
  await using server = await QuicServer.listen({
    transport,
    onCall(call) {
      const answer = (): void => call.respond(create(instance.SleepResponseSchema));
      if (waiting.push(call) === 1) call.draining.addEventListener("abort", answer);
      else sleeping.resolve();
    },
    // The other one has a promise job's time.
    onDraining: () => void Promise.resolve().then(() => waiting[1]?.respond(create(instance.SleepResponseSchema))),
  });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });
  const slept = [sendRequest(client, sleep), sendRequest(client, sleep)];
  await sleeping.promise;
  assert.deepEqual(await server.drain(), { cutCalls: 0, unansweredCalls: 0 });
  assert.equal((await Promise.all(slept)).length, 2);
});

testOnEach("at the end of the grace period what is left is cut off", async (transport) => {
  const arrived = Promise.withResolvers<void>();
  await using server = await QuicServer.listen({ transport, onCall: () => arrived.resolve() });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });
  const lost = assert.rejects(sendRequest(client, poll), serverClosing);
  await arrived.promise;
  assert.deepEqual(await server.drain({ graceMs: 20 }), { cutCalls: 0, unansweredCalls: 1 });
  await lost;
});

testOnEach("draining again returns the same report, close ends it early, a bad grace is refused", async (transport) => {
  const arrived = Promise.withResolvers<void>();
  const server = await QuicServer.listen({ transport, onCall: () => arrived.resolve() });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });
  const lost = assert.rejects(sendRequest(client, poll), serverClosing);
  await arrived.promise;
  for (const graceMs of [-1, 0.5, Number.POSITIVE_INFINITY]) {
    await assert.rejects(server.drain({ graceMs }), { code: "OPTION_INVALID" });
  }
  assert.equal(server.stats().isDraining, false);
  const drains = [server.drain({ graceMs: 60_000 }), server.drain({ graceMs: 1 })];
  assert.equal(server.draining.aborted, true);
  await server.close();
  const [first, second] = await Promise.all(drains);
  assert.equal(first, second);
  assert.equal(first?.unansweredCalls, 1);
  await lost;
  const idle = await QuicServer.listen({ transport });
  assert.deepEqual(await idle.drain(), { cutCalls: 0, unansweredCalls: 0 });
});

testOnEach("an upload that is under way ends within the grace period; iterations end", async (transport) => {
  await using server = await QuicServer.listen({ transport, protocol: environmentProtocol });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });
  const message = create(environment.RegisterImageStreamStartSchema, { tenantId: "t", name: "n" });
  const upload = await openStream(client, message);
  await upload.write(new Uint8Array(10));
  const taken = Promise.withResolvers<void>();
  const serving = (async () => {
    for await (const connection of server) {
      for await (const call of connection) {
        const stream = call.stream();
        taken.resolve();
        let bytes = 0;
        for (let chunk = await stream.read(); chunk !== undefined; chunk = await stream.read()) bytes += chunk.length;
        await stream.write(new Uint8Array([0, 0, 0, 0, 0, 2]));
        assert.equal(bytes, 300_010);
        await stream.finish();
      }
    }
  })();
  await taken.promise;
  const report = server.drain({ graceMs: 60_000 });
  await upload.write(new Uint8Array(300_000));
  await upload.finish();
  assert.deepEqual(await report, { cutCalls: 0, unansweredCalls: 0 });
  await serving;
});
