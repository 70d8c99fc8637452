import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { QuicClient } from "../client/client.ts";
import { request, sendRequest } from "../client/send-request.ts";
import { isProtocolError } from "../errors.ts";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import * as management from "../gen/runtara/management/management_pb.ts";
import { instanceProtocol } from "../instance/protocol.ts";
import { testOnEach } from "../testing/each-transport.ts";
import type { ServerCall } from "./call.ts";
import type { ServerFault } from "./faults.ts";
import { serve } from "./serve.ts";
import { QuicServer } from "./server.ts";
import type { Service } from "./service.ts";

const poll = create(instance.PollSignalsRequestSchema, { instanceId: "i" });

function deadlineExceeded(rpcCode: string, isRetryable: boolean): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isProtocolError(error), String(error));
    const { code, fineCode } = error;
    assert.deepEqual(
      [code, error.rpcCode, fineCode, error.isRetryable],
      ["RPC", rpcCode, "DEADLINE_EXCEEDED", isRetryable],
    );
    return error.message.includes("within 50 ms (requestTimeoutMs)");
  };
}

testOnEach(
  "a call without an answer is answered at its deadline, one that waits on purpose is not",
  async (transport) => {
    const calls: ServerCall[] = [];
    const faults: ServerFault[] = [];
    await using server = await QuicServer.listen({
      transport,
      requestTimeoutMs: 50,
      onCall: (call) => calls.push(call),
      onFault: (fault) => faults.push(fault),
    });
    await using client = QuicClient.localhost({ transport, serverAddr: server.address });
    const sleeping = request(client, instance.SleepRequestSchema, {});
    await assert.rejects(sendRequest(client, poll), deadlineExceeded("POLL_SIGNALS_ERROR", false));
    // Only what may be carried out twice is worth a second try.
    const checkpoint = create(instance.CheckpointRequestSchema);
    await assert.rejects(sendRequest(client, checkpoint), deadlineExceeded("CHECKPOINT_ERROR", true));
    // What is not done is not acknowledged.
    await assert.rejects(request(client, instance.SignalAckSchema, {}), { code: "STREAM_RESET", resetCode: 2n });
    await assert.rejects(
      request(client, instance.SignalAckSchema, { epoch: 1n }),
      deadlineExceeded("SIGNAL_ACK_ERROR", false),
    );

    const [sleep, late] = calls;
    assert.ok(sleep && late);
    assert.deepEqual(
      [late.isAnswered, late.isAborted, sleep.isAnswered, sleep.deadline],
      [true, true, false, undefined],
    );
    late.respond(create(instance.PollSignalsResponseSchema));
    assert.equal(server.stats().openCalls, 1);
    sleep.respond(create(instance.SleepResponseSchema));
    await sleeping;
    const { openCalls, faults: counts } = server.stats();
    assert.deepEqual([openCalls, counts.deadlineExceeded], [0, 4]);
    assert.deepEqual([faults[0]?.kind, faults[0]?.operation], ["deadlineExceeded", "pollSignals"]);
  },
);

testOnEach("a management call in another envelope has the deadline of the call in it", async (transport) => {
  const calls: ServerCall[] = [];
  const onCall = (call: ServerCall): void => void calls.push(call);
  await using server = await QuicServer.listen({ transport, requestTimeoutMs: 50, features: ["management"], onCall });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });
  const carry = (call: management.RpcRequest): Promise<unknown> =>
    request(client, instance.ManagementRequestSchema, { call });
  const value = create(management.WaitResultRequestSchema);
  const waiting = carry(create(management.RpcRequestSchema, { request: { case: "waitResult", value } }));
  const health = create(management.HealthCheckRequestSchema);
  await assert.rejects(
    carry(create(management.RpcRequestSchema, { request: { case: "healthCheck", value: health } })),
    deadlineExceeded("MANAGEMENT_ERROR", true),
  );
  assert.deepEqual(
    calls.map(({ isAnswered }) => isAnswered),
    [false, true],
  );
  calls[0]?.respond(create(instance.ManagementResponseSchema));
  await waiting;
});

testOnEach(
  "a handler's signal is aborted at the deadline, with the reason; it knows the deadline",
  async (transport) => {
    const seen = Promise.withResolvers<unknown>();
    const refuse = (): never => {
      throw new Error("polls only");
    };
    const service: Service<instance.RpcRequest, instance.RpcResponse> = {
      async pollSignals(_, { signal, deadline }) {
        const leftMs = (deadline?.getTime() ?? Number.NaN) - Date.now();
        assert.ok(leftMs > 0 && leftMs <= 51, `${leftMs}`);
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        seen.resolve(signal.reason);
        return create(instance.PollSignalsResponseSchema);
      },
      async sleep(_, { deadline }) {
        assert.equal(deadline, undefined);
        return create(instance.SleepResponseSchema);
      },
      registerInstance: refuse,
      checkpoint: refuse,
      getCheckpoint: refuse,
      instanceEvent: refuse,
      instanceEventBatch: refuse,
      getInstanceStatus: refuse,
      signalAck: refuse,
      retryAttempt: refuse,
    };
    const served = serve(instanceProtocol, service);
    await using server = await QuicServer.listen({ transport, requestTimeoutMs: 50, ...served });
    await using client = QuicClient.localhost({ transport, serverAddr: server.address });
    await assert.rejects(sendRequest(client, poll), deadlineExceeded("POLL_SIGNALS_ERROR", false));
    const reason = await seen.promise;
    assert.ok(isProtocolError(reason) && reason.code === "CALL_TIMEOUT", String(reason));
    await request(client, instance.SleepRequestSchema, {});
  },
);

testOnEach("calls whose client has gone count until their deadline, waiting ones until then", async (transport) => {
  const reasons: string[] = [];
  const three = Promise.withResolvers<void>();
  const expired = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  let calls = 0;
  await using server = await QuicServer.listen({
    transport,
    requestTimeoutMs: 200,
    onCall(call) {
      if (call.request.case === "sleep") call.onAborted = (why) => reasons.push(why.code);
      if (++calls === 3) three.resolve();
    },
    onFault: ({ kind }) => kind === "deadlineExceeded" && expired.resolve(),
    onConnectionClosed: () => gone.resolve(),
  });
  const client = QuicClient.localhost({ transport, serverAddr: server.address });
  const sent = [poll, create(instance.SleepRequestSchema), create(instance.SleepRequestSchema)].map((message) =>
    sendRequest(client, message).catch(() => undefined),
  );
  await three.promise;
  const connection = await client.connect();
  await connection.close();
  await Promise.all(sent);
  await gone.promise;
  assert.deepEqual(reasons, ["CALL_ABORTED", "CALL_ABORTED"]);
  assert.equal(server.stats().openCalls, 1);
  await expired.promise;
  assert.equal(server.stats().openCalls, 0);
  await client.close();
});
