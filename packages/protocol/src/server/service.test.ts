import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { QuicClient } from "../client/client.ts";
import { ProtocolError } from "../errors.ts";
import { Features } from "../features.ts";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import { instanceClient } from "../instance/client.ts";
import { instanceProtocol } from "../instance/protocol.ts";
import { memoryTransport } from "../transport/memory/transport.ts";
import { serve } from "./serve.ts";
import { QuicServer } from "./server.ts";
import type { Service } from "./service.ts";

type InstanceService = Service<instance.RpcRequest, instance.RpcResponse>;

const refuse = (): never => {
  throw new ProtocolError("RPC", "stop", { rpcCode: "SIGNAL_ACK_ERROR", fineCode: "FENCED", isRetryable: false });
};

const base: Omit<InstanceService, "features"> = {
  registerInstance: () => create(instance.RegisterInstanceResponseSchema, { success: true }),
  checkpoint: refuse,
  getCheckpoint: refuse,
  getInstanceStatus: refuse,
  pollSignals: refuse,
  sleep: refuse,
  instanceEvent: refuse,
  instanceEventBatch: refuse,
  signalAck: refuse,
  retryAttempt: refuse,
};

const queue = {
  leases: 0,
  claimWork: () => create(instance.ClaimWorkResponseSchema, { features: ["work-queue"] }),
  renewLease() {
    this.leases++;
    return create(instance.RenewLeaseResponseSchema, { leaseUntilMs: BigInt(this.leases) });
  },
  releaseWork: () => create(instance.ReleaseWorkResponseSchema),
};

test("the extensions of a declared feature are served, all others are not", async () => {
  const transport = memoryTransport();
  const served = serve(instanceProtocol, { ...base, features: { "work-queue": queue } });
  assert.deepEqual(served.features, ["work-queue"]);
  await using server = await QuicServer.listen({ transport, ...served });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });
  const calls = instanceClient(client);

  const { features } = await calls.claimWork({ workerId: "w" });
  assert.ok(new Features(features).has("work-queue"));
  await calls.renewLease({ workerId: "w" });
  assert.equal((await calls.renewLease({ workerId: "w" })).leaseUntilMs, 2n);
  const unserved = {
    code: "RPC",
    rpcCode: "EMPTY_REQUEST",
    fineCode: "UNSUPPORTED",
    isRetryable: false,
    message: "RpcRequest contained no request that this server serves: publish",
  };
  await assert.rejects(calls.publish({}), unserved);
});

test("of calls without an answer those with an epoch are told why they failed, those of 1.4.1 are reset", async () => {
  const transport = memoryTransport();
  await using server = await QuicServer.listen({ transport, ...serve(instanceProtocol, base) });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });
  const calls = instanceClient(client);
  const fenced = { code: "RPC", fineCode: "FENCED", isRetryable: false };
  const undone = { code: "STREAM_RESET", resetCode: 2n };
  await assert.rejects(calls.signalAck({ instanceId: "i" }), undone);
  await assert.rejects(calls.retryAttempt({ instanceId: "i" }), undone);
  await assert.rejects(calls.signalAck({ instanceId: "i", epoch: 1n }), fenced);
  await assert.rejects(calls.retryAttempt({ instanceId: "i", epoch: 1n }), fenced);
});

test("a feature with a call missing, or an unknown one, neither compiles nor starts", () => {
  const { releaseWork, ...part } = queue;
  assert.equal(typeof releaseWork, "function");
  const missing = { code: "OPTION_INVALID", message: /"work-queue" must have a handler for releaseWork$/ };
  // @ts-expect-error releaseWork is missing
  assert.throws(() => serve(instanceProtocol, { ...base, features: { "work-queue": part } }), missing);
  const unknown = { code: "OPTION_INVALID", message: /no feature "watch" with calls; it has checkpoint-batch, / };
  // @ts-expect-error a feature of another protocol
  assert.throws(() => serve(instanceProtocol, { ...base, features: { watch: {} } }), unknown);
  const wrong = { ...queue, claimWork: () => create(instance.SleepResponseSchema) };
  // @ts-expect-error the answer of another call
  assert.ok(serve(instanceProtocol, { ...base, features: { "work-queue": wrong } }));
});
