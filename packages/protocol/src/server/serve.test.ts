import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { QuicClient } from "../client/client.ts";
import { openStream } from "../client/rpc-stream.ts";
import { request, sendRequest } from "../client/send-request.ts";
import { environmentProtocol } from "../environment/protocol.ts";
import { ProtocolError } from "../errors.ts";
import * as environment from "../gen/runtara/environment/environment_pb.ts";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import { instanceProtocol } from "../instance/protocol.ts";
import { memoryTransport } from "../transport/memory/transport.ts";
import { serve } from "./serve.ts";
import { QuicServer } from "./server.ts";
import type { Service } from "./service.ts";

type InstanceService = Service<instance.RpcRequest, instance.RpcResponse>;

const gone = Promise.withResolvers<void>();
const sleeping = Promise.withResolvers<void>();
const failures: [unknown, string][] = [];

const service: InstanceService = {
  registerInstance: ({ instanceId }) => create(instance.RegisterInstanceResponseSchema, { error: instanceId }),
  async checkpoint({ state }) {
    await Promise.resolve();
    return create(instance.CheckpointResponseSchema, { found: true, state });
  },
  getCheckpoint() {
    throw new Error("a failure of storage");
  },
  getInstanceStatus: () => Promise.reject(new Error("another one")),
  pollSignals() {
    throw new ProtocolError("RPC", "not so fast", { rpcCode: "OVERLOADED" });
  },
  async sleep(_, { signal }) {
    sleeping.resolve();
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    gone.resolve();
    return create(instance.SleepResponseSchema);
  },
  instanceEvent: () => create(instance.SleepResponseSchema) as never,
  instanceEventBatch: () => {},
  signalAck: () => Promise.resolve(),
  retryAttempt() {
    throw new Error("not recorded");
  },
};

test("sync and async handlers, errors with the operation's code, silence where none is owed", async () => {
  const transport = memoryTransport();
  const onError = (error: unknown, operation: string): void => void failures.push([error, operation]);
  await using server = await QuicServer.listen({ transport, ...serve(instanceProtocol, service, { onError }) });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });

  const registered = await request(client, instance.RegisterInstanceRequestSchema, { instanceId: "i" });
  assert.equal(registered.error, "i");
  const saved = await request(client, instance.CheckpointRequestSchema, { state: Buffer.from("s") });
  assert.equal(Buffer.from(saved.state).toString(), "s");
  const rejects = (call: Promise<unknown>, rpcCode: string, message: string): Promise<void> =>
    assert.rejects(call, { code: "RPC", rpcCode, message });
  await rejects(
    request(client, instance.GetCheckpointRequestSchema, {}),
    "GET_CHECKPOINT_ERROR",
    "a failure of storage",
  );
  await rejects(
    request(client, instance.GetInstanceStatusRequestSchema, {}),
    "GET_INSTANCE_STATUS_ERROR",
    "another one",
  );
  await rejects(request(client, instance.PollSignalsRequestSchema, {}), "OVERLOADED", "not so fast");
  assert.equal(await request(client, instance.InstanceEventBatchSchema, {}), undefined);
  assert.equal(await request(client, instance.SignalAckSchema, {}), undefined);
  await assert.rejects(request(client, instance.RetryAttemptEventSchema, {}), { code: "STREAM_RESET", resetCode: 2n });
  assert.deepEqual(
    failures.map(([, operation]) => operation),
    ["getCheckpoint", "getInstanceStatus", "pollSignals", "retryAttempt"],
  );
  // The answer of another call is in the protocol, so it goes out, and the client refuses it.
  await assert.rejects(request(client, instance.InstanceEventSchema, {}), { code: "RESPONSE_UNEXPECTED" });

  const abort = new AbortController();
  const sleep = sendRequest(client, create(instance.SleepRequestSchema), { signal: abort.signal });
  const rejected = assert.rejects(sleep, { code: "CALL_ABORTED" });
  await sleeping.promise;
  abort.abort();
  await rejected;
  await gone.promise;
});

test("a service with a call missing, or with another call's answer, does not compile", () => {
  const { sleep, ...rest } = service;
  assert.equal(typeof sleep, "function");
  // @ts-expect-error sleep is missing
  serve(instanceProtocol, rest);
  // @ts-expect-error the answer to a sleep is no status
  serve(instanceProtocol, { ...service, sleep: () => create(instance.GetInstanceStatusResponseSchema) });
});

test("streamed bodies: the handler reads them, what it returns or throws is the answer", async () => {
  const transport = memoryTransport();
  const refuse = (): never => {
    throw new Error("only uploads here");
  };
  const names = [...environmentProtocol.requestCases.values()].map((name) => [name, refuse]);
  const uploads: Service<environment.RpcRequest, environment.RpcResponse> = {
    ...Object.fromEntries(names),
    async registerImageStream({ name }, context) {
      const stream = context.stream();
      let bytes = 0;
      for (let chunk = await stream.read(); chunk !== undefined; chunk = await stream.read()) bytes += chunk.length;
      if (name === "bad") throw new Error(`${bytes} bytes are no image`);
      return create(environment.RegisterImageResponseSchema, { success: true, imageId: String(bytes) });
    },
  };
  await using server = await QuicServer.listen({ transport, ...serve(environmentProtocol, uploads) });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });
  for (const name of ["good", "bad"]) {
    const upload = await openStream(client, create(environment.RegisterImageStreamStartSchema, { name }));
    await upload.write(new Uint8Array(2_000_000));
    await upload.finish();
    if (name === "good") assert.equal((await upload.readResponse()).imageId, "2000000");
    else await assert.rejects(upload.readResponse(), { rpcCode: "REGISTER_IMAGE_STREAM_ERROR" });
  }
  await assert.rejects(client.call(create(environment.ListImagesRequestSchema)), { rpcCode: "LIST_IMAGES_ERROR" });
});
