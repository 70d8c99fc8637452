import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { QuicClient } from "../client/client.ts";
import { request, sendRequest } from "../client/send-request.ts";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import { testOnEach } from "../testing/each-transport.ts";
import type { ServerCall } from "./call.ts";
import { QuicServer } from "./server.ts";

const poll = create(instance.PollSignalsRequestSchema, { instanceId: "i" });
const nothing = create(instance.PollSignalsResponseSchema);
/** Nothing but the end of the connection may end a call. */
const patient = { requestTimeoutMs: 0, progressTimeoutMs: 0 };

async function untilOpen(server: QuicServer, calls: number): Promise<void> {
  while (server.stats().openCalls !== calls) await setImmediate();
}

testOnEach("a stream that is taken over when its client has gone costs nothing", async (transport) => {
  const arrived = Promise.withResolvers<ServerCall>();
  const gone = Promise.withResolvers<void>();
  await using server = await QuicServer.listen({
    transport,
    ...patient,
    onCall: (call) => arrived.resolve(call),
    onConnectionClosed: () => gone.resolve(),
  });
  const client = QuicClient.localhost({ transport, serverAddr: server.address });
  const lost = assert.rejects(sendRequest(client, poll), { code: "CONNECTION_CLOSED" });
  const call = await arrived.promise;
  await client.close();
  await Promise.all([lost, gone.promise]);
  assert.equal(server.stats().openCalls, 1);
  const stream = call.stream();
  const { openCalls, bytesInFlight } = server.stats();
  assert.deepEqual([openCalls, bytesInFlight], [0, 0]);
  // Ending it a second time must not count twice.
  stream.stop(0);
  stream.reset(0);
  assert.deepEqual([server.stats().openCalls, server.stats().bytesInFlight], [0, 0]);
});

testOnEach(
  "calls that nobody has iterated end with their connection, so that a drain need not wait",
  async (transport) => {
    await using server = await QuicServer.listen({ transport, ...patient });
    const client = QuicClient.localhost({ transport, serverAddr: server.address });
    const lost = Promise.allSettled([
      sendRequest(client, poll),
      sendRequest(client, create(instance.SleepRequestSchema)),
    ]);
    await untilOpen(server, 2);
    await client.close();
    assert.deepEqual(
      (await lost).map(({ status }) => status),
      ["rejected", "rejected"],
    );
    await untilOpen(server, 0);
    assert.equal(server.stats().bytesInFlight, 0);
    assert.deepEqual(await server.drain({ graceMs: 60_000 }), { cutCalls: 0, unansweredCalls: 0 });
  },
);

testOnEach("calls that wait when their iteration is left are told so; a new one goes on", async (transport) => {
  await using server = await QuicServer.listen({ transport, ...patient });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address, retry: false });
  const first = sendRequest(client, poll);
  await untilOpen(server, 1);
  const connection = (await server[Symbol.asyncIterator]().next()).value;
  assert.ok(connection !== undefined);
  const calls = connection[Symbol.asyncIterator]();
  const call: ServerCall | undefined = (await calls.next()).value;
  const told = assert.rejects(sendRequest(client, poll), {
    rpcCode: "POLL_SIGNALS_ERROR",
    fineCode: "INTERNAL",
    isRetryable: true,
    message: "the server has stopped taking the calls of this connection",
  });
  const reset = assert.rejects(request(client, instance.RetryAttemptEventSchema, {}), { code: "STREAM_RESET" });
  await untilOpen(server, 3);
  await calls.return?.();
  await Promise.all([told, reset]);
  call?.respond(nothing);
  await first;

  const next = sendRequest(client, poll);
  for await (const again of connection) {
    again.respond(nothing);
    break;
  }
  await next;
  await untilOpen(server, 0);
});

testOnEach("what a client sent before it went is still handed to whoever iterates its calls", async (transport) => {
  await using server = await QuicServer.listen({ transport, ...patient });
  const client = QuicClient.localhost({ transport, serverAddr: server.address, drainTimeoutMs: 0 });
  const sent = [1, 2, 3].map((attemptNumber) =>
    request(client, instance.RetryAttemptEventSchema, { attemptNumber }).catch(() => {}),
  );
  await untilOpen(server, 3);
  const connection = (await server[Symbol.asyncIterator]().next()).value;
  assert.ok(connection !== undefined);
  const seen: number[] = [];
  for await (const call of connection) {
    if (seen.length === 0) {
      await client.close();
      while (server.stats().connections > 0) await setImmediate();
    }
    assert.ok(call.request.case === "retryAttempt");
    seen.push(call.request.value.attemptNumber);
    call.finish();
  }
  assert.deepEqual(
    seen.sort((a, b) => a - b),
    [1, 2, 3],
  );
  await Promise.all(sent);
  assert.equal(server.stats().openCalls, 0);
});
