import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Message } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { environmentProtocol } from "../environment/protocol.ts";
import { ProtocolError } from "../errors.ts";
import * as environment from "../gen/runtara/environment/environment_pb.ts";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import { instanceProtocol } from "../instance/protocol.ts";
import { managementProtocol } from "../management/protocol.ts";
import type { RequestMessage } from "../protocols/calls.ts";
import type { Protocol, RequestEnvelope, ResponseEnvelope } from "../protocols/protocol.ts";
import type { ServerCall } from "../server/call.ts";
import { QuicServer } from "../server/server.ts";
import { schemaNamed } from "../testing/messages.ts";
import { QuicClient } from "./client.ts";
import { request, sendRequest } from "./send-request.ts";

type AnyProtocol<Request extends RequestEnvelope, Response extends ResponseEnvelope> = Protocol<Request, Response>;

/** Answers every call of `protocol` with the empty message of its answer. */
function listenFor<Request extends RequestEnvelope, Response extends ResponseEnvelope>(
  protocol: AnyProtocol<Request, Response>,
): Promise<QuicServer<Request, Response>> {
  const responses = new Map([...protocol.responseCases].map(([typeName, name]) => [name, typeName]));
  return QuicServer.listen({
    protocol,
    features: [...protocol.extensions.values()],
    onCall(call) {
      const answer = protocol.answers[call.request.case];
      if (answer === undefined) call.finish();
      else call.respond(create(schemaNamed(responses.get(answer) ?? "")) as Parameters<typeof call.respond>[0]);
    },
  });
}

function everyCall<Request extends RequestEnvelope, Response extends ResponseEnvelope>(
  protocol: AnyProtocol<Request, Response>,
): void {
  describe(`every call of the ${protocol.name} protocol gets its own answer`, () => {
    let server: QuicServer<Request, Response>;
    let client: QuicClient;
    before(async () => {
      server = await listenFor(protocol);
      client = QuicClient.localhost({ serverAddr: server.address });
    });
    after(async () => {
      await client.close();
      await server.close();
    });
    for (const [typeName, name] of protocol.requestCases) {
      test(typeName, async () => {
        const message = create(schemaNamed(typeName)) as RequestMessage;
        const answer: Message | undefined = await sendRequest(client, message);
        const expected = protocol.answers[name];
        const got = answer && protocol.responseCases.get(answer.$typeName);
        assert.equal(got, expected);
      });
    }
  });
}

everyCall(instanceProtocol);
everyCall(environmentProtocol);
everyCall(managementProtocol);

describe("one server, one client", () => {
  let server: QuicServer;
  let client: QuicClient;
  let handle: (call: ServerCall) => void;
  before(async () => {
    server = await QuicServer.listen({ onCall: (call) => handle(call) });
    client = QuicClient.localhost({ serverAddr: server.address });
  });
  after(async () => {
    await client.close();
    await server.close();
  });

  const checkpoint = create(instance.CheckpointRequestSchema, {
    instanceId: "i",
    checkpointId: "c",
    state: Buffer.from("s"),
  });

  test("the answer has the type that belongs to the request", async () => {
    handle = (call) => {
      assert.ok(call.request.case === "checkpoint");
      const state = Uint8Array.from(call.request.value.state);
      call.respond({ $typeName: "runtara.instance.CheckpointResponse", found: true, state });
    };
    const connection = await client.connect();
    const answer: instance.CheckpointResponse = await sendRequest(connection, checkpoint);
    assert.equal(answer.found, true);
    assert.equal(Buffer.from(answer.state).toString(), "s");
    // @ts-expect-error the answer to a checkpoint is no status
    const wrong: instance.GetInstanceStatusResponse = await sendRequest(connection, checkpoint);
    assert.equal(wrong.$typeName, "runtara.instance.CheckpointResponse");
    const made: instance.CheckpointResponse = await request(client, instance.CheckpointRequestSchema, {
      instanceId: "i",
    });
    assert.equal(made.found, true);
  });

  test("a call without an answer resolves with the server's FIN, and fails with the server's error", async () => {
    handle = (call) => call.finish();
    const ack = create(instance.SignalAckSchema, { instanceId: "i", acknowledged: true });
    const nothing: undefined = await sendRequest(client, ack);
    assert.equal(nothing, undefined);
    handle = (call) => call.respondError("BAD_REQUEST", "no");
    await assert.rejects(sendRequest(client, ack), { name: "ProtocolError", code: "RPC", rpcCode: "BAD_REQUEST" });
  });

  test("an RpcError becomes a ProtocolError with the server's code and text", async () => {
    handle = (call) => call.respondError("CHECKPOINT_ERROR", "Instance 'i' not found");
    await assert.rejects(sendRequest(client, checkpoint), {
      name: "ProtocolError",
      code: "RPC",
      rpcCode: "CHECKPOINT_ERROR",
      message: "Instance 'i' not found",
    });
  });

  test("the answer to another call is not taken", async () => {
    handle = (call) => call.respond({ $typeName: "runtara.instance.SleepResponse" });
    await assert.rejects(sendRequest(client, checkpoint), {
      code: "RESPONSE_UNEXPECTED",
      message: 'expected "checkpoint" as the answer, got "sleep"',
    });
  });

  test("a silent close is a failed call, in the original's words", async () => {
    handle = (call) => call.finish();
    await assert.rejects(sendRequest(client, checkpoint), (error) => {
      assert.ok(error instanceof ProtocolError && error.code === "STREAM_ENDED");
      return error.message.startsWith("frame error: connection closed");
    });
  });

  test("a deadline ends the wait, and only this call", async () => {
    const waiting: ServerCall[] = [];
    handle = (call) => waiting.push(call);
    await assert.rejects(sendRequest(client, checkpoint, { timeoutMs: 30 }), { code: "CALL_TIMEOUT" });
    handle = (call) => call.respond(create(instance.CheckpointResponseSchema));
    assert.equal((await sendRequest(client, checkpoint)).found, false);
  });

  test("abort ends the wait; the server is told", async () => {
    const told = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    handle = (call) => {
      call.onAborted = () => told.resolve();
      arrived.resolve();
    };
    const abort = new AbortController();
    const call = sendRequest(client, create(instance.SleepRequestSchema, { durationMs: 1n }), { signal: abort.signal });
    await arrived.promise;
    abort.abort();
    await assert.rejects(call, { code: "CALL_ABORTED" });
    await told.promise;
  });

  test("a signal that is aborted already, or while connecting", async () => {
    handle = () => assert.fail("nothing should arrive");
    const signal = AbortSignal.abort(new Error("why"));
    await assert.rejects(sendRequest(await client.connect(), checkpoint, { signal }), { code: "CALL_ABORTED" });
    await assert.rejects(sendRequest(client, checkpoint, { signal }), { code: "CALL_ABORTED" });
    await using fresh = QuicClient.localhost({ serverAddr: server.address });
    const abort = new AbortController();
    const call = sendRequest(fresh, checkpoint, { signal: abort.signal });
    abort.abort();
    await assert.rejects(call, { code: "CALL_ABORTED" });
  });

  test("answers may come later and in any order", async () => {
    const waiting: ServerCall[] = [];
    const all = Promise.withResolvers<void>();
    handle = (call) => {
      if (waiting.push(call) === 50) all.resolve();
    };
    const asked = Array.from({ length: 50 }, (_, i) =>
      sendRequest(client, create(instance.GetInstanceStatusRequestSchema, { instanceId: `i${i}` })),
    );
    await all.promise;
    for (const call of waiting.reverse()) {
      assert.ok(call.request.case === "getInstanceStatus");
      const { instanceId } = call.request.value;
      call.respond(create(instance.GetInstanceStatusResponseSchema, { instanceId }));
    }
    assert.deepEqual(
      (await Promise.all(asked)).map((answer) => answer.instanceId),
      Array.from({ length: 50 }, (_, i) => `i${i}`),
    );
  });

  test("what is no request is refused before anything is sent", async () => {
    handle = () => assert.fail("nothing should arrive");
    // @ts-expect-error a signal is no request
    await assert.rejects(sendRequest(client, create(instance.SignalSchema)), { code: "MESSAGE_UNKNOWN" });
    // @ts-expect-error nor is its schema the schema of one
    await assert.rejects(request(client, instance.SignalSchema, {}), { code: "MESSAGE_UNKNOWN" });
    await assert.rejects(sendRequest(client, checkpoint, { timeoutMs: -1 }), { code: "OPTION_INVALID" });
    const broken = { ...checkpoint, state: "s" } as unknown as instance.CheckpointRequest;
    await assert.rejects(sendRequest(client, broken), { code: "ENCODE_FAILED" });
  });

  test("the largest request and answer pass", async () => {
    handle = (call) => {
      assert.ok(call.request.case === "checkpoint");
      call.respond({
        $typeName: "runtara.instance.CheckpointResponse",
        found: true,
        state: call.request.value.state,
      });
    };
    const state = new Uint8Array(67_108_864 - 32).fill(7);
    const answer = await sendRequest(client, create(instance.CheckpointRequestSchema, { state }));
    assert.ok(Buffer.from(state).equals(answer.state));
    const tooLarge = create(instance.CheckpointRequestSchema, { state: new Uint8Array(67_108_864) });
    await assert.rejects(sendRequest(client, tooLarge), (error) => {
      assert.ok(error instanceof ProtocolError && error.code === "FRAME_TOO_LARGE");
      return error.message.startsWith("frame error: frame too large: ");
    });
  });

  test("an environment's request to a core is answered EMPTY_REQUEST or refused, never taken for another", async () => {
    handle = () => assert.fail("nothing should arrive");
    const list = create(environment.ListEventsRequestSchema);
    await assert.rejects(sendRequest(client, list), { code: "RPC", rpcCode: "EMPTY_REQUEST" });
  });
});
