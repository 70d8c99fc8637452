import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { QuicClient } from "../client/client.ts";
import { environmentProtocol } from "../environment/protocol.ts";
import type { ProtocolErrorDetails } from "../errors.ts";
import * as environment from "../gen/runtara/environment/environment_pb.ts";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import * as management from "../gen/runtara/management/management_pb.ts";
import { instanceProtocol } from "../instance/protocol.ts";
import { callShape, type RequestMessage } from "../protocols/calls.ts";
import { QuicServer } from "../server/server.ts";
import { memoryTransport } from "../transport/memory/transport.ts";
import { managementClient } from "./client.ts";
import { managementThrough } from "./through.ts";

/** What a core would answer to a management call. */
function answerTo(call: management.RpcRequest | undefined): management.RpcResponse | undefined {
  const { request } = call ?? {};
  if (request?.case === "waitResult") {
    const status = management.InstanceStatus.STATUS_COMPLETED;
    const value = create(management.WaitResultResponseSchema, {
      status,
      output: Buffer.from(request.value.instanceId),
    });
    return create(management.RpcResponseSchema, { response: { case: "waitResult", value } });
  }
  if (request?.case === "killInstance") return undefined;
  const error = { code: "GET_PUBLISHED_ERROR", message: "no", fineCode: "INSTANCE_NOT_FOUND" };
  const value = create(management.RpcErrorSchema, error);
  return create(management.RpcResponseSchema, { response: { case: "error", value } });
}

async function checkThrough(port: "instance" | "environment", client: QuicClient): Promise<void> {
  const manage = managementClient(managementThrough(port, client));
  const { status, output } = await manage.waitResult({ instanceId: "order-7" });
  assert.equal(status, management.InstanceStatus.STATUS_COMPLETED);
  assert.equal(Buffer.from(output ?? []).toString(), "order-7");
  const refused: ProtocolErrorDetails & { code: string } = {
    code: "RPC",
    rpcCode: "GET_PUBLISHED_ERROR",
    fineCode: "INSTANCE_NOT_FOUND",
  };
  await assert.rejects(manage.getPublished({ instanceId: "order-8" }), refused);
  await assert.rejects(manage.killInstance({}), { code: "RESPONSE_UNEXPECTED" });
  const wrong = create(instance.SleepRequestSchema) as RequestMessage;
  await assert.rejects(managementThrough(port, client).call(wrong), { code: "MESSAGE_UNKNOWN" });
}

test("management calls through the instance protocol", async () => {
  const transport = memoryTransport();
  await using server = await QuicServer.listen({
    transport,
    protocol: instanceProtocol,
    features: ["management"],
    onCall(call) {
      if (call.request.case !== "management") return call.respondError("EMPTY_REQUEST", "");
      const answer = answerTo(call.request.value.call);
      call.respond(create(instance.ManagementResponseSchema, answer ? { answer } : {}));
    },
  });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });
  await checkThrough("instance", client);
});

test("management calls through the environment protocol", async () => {
  const transport = memoryTransport();
  await using server = await QuicServer.listen({
    transport,
    protocol: environmentProtocol,
    features: ["management"],
    onCall(call) {
      if (call.request.case !== "management") return call.respondError("EMPTY_REQUEST", "");
      const answer = answerTo(call.request.value.call);
      call.respond(create(environment.ManagementResponseSchema, answer ? { answer } : {}));
    },
  });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });
  await checkThrough("environment", client);
});

test("a carried call waits and repeats as it would alone; an empty carrier as one that waits", () => {
  const { WaitResultRequestSchema, GetCheckpointRequestSchema, ResumeInstanceRequestSchema } = management;
  const requests = [
    { case: "waitResult", value: create(WaitResultRequestSchema) },
    { case: "getCheckpoint", value: create(GetCheckpointRequestSchema) },
    { case: "resumeInstance", value: create(ResumeInstanceRequestSchema) },
  ] as const;
  for (const { ManagementRequestSchema } of [instance, environment]) {
    for (const request of requests) {
      const { waits, isIdempotent, response } = callShape(create(ManagementRequestSchema, { call: { request } }));
      const alone = callShape(request.value);
      assert.deepEqual([waits, isIdempotent, response], [alone.waits, alone.isIdempotent, "management"], request.case);
    }
    const { waits, isIdempotent } = callShape(create(ManagementRequestSchema));
    assert.deepEqual([waits, isIdempotent], [true, false]);
  }
});
