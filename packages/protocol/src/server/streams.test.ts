import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { QuicClient } from "../client/client.ts";
import { openStream, type RpcStream } from "../client/rpc-stream.ts";
import { sendRequest } from "../client/send-request.ts";
import { environmentProtocol } from "../environment/protocol.ts";
import * as environment from "../gen/runtara/environment/environment_pb.ts";
import { limits } from "../limits.ts";
import { testOnEach } from "../testing/each-transport.ts";
import type { Transport } from "../transport/port.ts";
import type { ServerFault } from "./faults.ts";
import type { ServerOptions } from "./listen-options.ts";
import { serve } from "./serve.ts";
import type { ServeContext } from "./serve-context.ts";
import { QuicServer } from "./server.ts";
import type { Service } from "./service.ts";

type Upload = (
  context: ServeContext<environment.RpcRequest, environment.RpcResponse>,
) => Promise<environment.RegisterImageResponse>;

interface Uploading {
  readonly server: QuicServer<environment.RpcRequest, environment.RpcResponse>;
  readonly client: QuicClient;
  readonly rpc: RpcStream<environment.RegisterImageStreamStart>;
}

/** A server that knows uploads only, a client, and an upload that has begun. */
async function withUpload(
  transport: Transport,
  upload: Upload,
  options: Partial<ServerOptions<environment.RpcRequest, environment.RpcResponse>>,
  run: (uploading: Uploading) => Promise<void>,
): Promise<void> {
  const refuse = (): never => {
    throw new Error("only uploads here");
  };
  const { requestCases, extensions } = environmentProtocol;
  const names = [...requestCases.values()].filter((name) => !extensions.has(name));
  const service = {
    ...Object.fromEntries(names.map((name) => [name, refuse])),
    registerImageStream: (_: unknown, context: Parameters<Upload>[0]) => upload(context),
  } as unknown as Service<environment.RpcRequest, environment.RpcResponse>;
  await using server = await QuicServer.listen({ transport, ...options, ...serve(environmentProtocol, service) });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });
  const rpc = await openStream(client, create(environment.RegisterImageStreamStartSchema, { name: "n" }));
  await run({ server, client, rpc });
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise(setImmediate);
}

/** Reads to the end and answers with the number of bytes. */
const count: Upload = async (context) => {
  const stream = context.stream();
  let bytes = 0;
  for (let chunk = await stream.read(); chunk !== undefined; chunk = await stream.read()) bytes += chunk.length;
  return create(environment.RegisterImageResponseSchema, { success: true, imageId: `${bytes}` });
};

testOnEach("an upload that stalls is answered DEADLINE_EXCEEDED, and its place is free again", async (transport) => {
  const faults: ServerFault[] = [];
  const onFault = (fault: ServerFault): void => void faults.push(fault);
  await withUpload(transport, count, { progressTimeoutMs: 50, onFault }, async ({ server, rpc }) => {
    await rpc.write(new Uint8Array(1_000));
    await assert.rejects(rpc.readResponse(), {
      code: "RPC",
      rpcCode: "REGISTER_IMAGE_STREAM_ERROR",
      fineCode: "DEADLINE_EXCEEDED",
      message: "the client has sent nothing for 50 ms (progressTimeoutMs)",
    });
    assert.deepEqual([faults[0]?.kind, faults[0]?.operation], ["streamStalled", "registerImageStream"]);
    await until(() => server.stats().openCalls === 0);
    assert.equal(server.stats().bytesInFlight, 0);
  });
});

testOnEach("a client that takes nothing is reset; the handler is told", async (transport) => {
  const failed = Promise.withResolvers<Error & { code?: string }>();
  const flood: Upload = async (context) => {
    const stream = context.stream();
    await stream.write(new Uint8Array(64 * limits.streamUnreadBytesMax)).catch((error) => {
      failed.resolve(error);
      throw error;
    });
    assert.fail("nobody has read it");
  };
  await withUpload(transport, flood, { progressTimeoutMs: 50 }, async ({ server, rpc }) => {
    const { code, message } = await failed.promise;
    assert.equal(code, "CALL_TIMEOUT");
    assert.equal(message, "the client has taken nothing for 50 ms (progressTimeoutMs)");
    const readAll = async (): Promise<void> => {
      while ((await rpc.read()) !== undefined);
    };
    await assert.rejects(readAll(), { code: "STREAM_RESET", resetCode: BigInt(limits.stalledStreamCode) });
    await until(() => server.stats().openCalls === 0);
  });
});

testOnEach(
  "neither a slow upload nor a busy handler is a stall, and there is no request deadline",
  async (transport) => {
    const progressTimeoutMs = 600;
    const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    const slowly: Upload = async (context) => {
      const answer = await count(context);
      await pass(1.2 * progressTimeoutMs);
      return answer;
    };
    await withUpload(transport, slowly, { progressTimeoutMs, requestTimeoutMs: 100 }, async ({ rpc }) => {
      for (let i = 0; i < 6; i++) {
        await pass(progressTimeoutMs / 5);
        await rpc.write(new Uint8Array(10));
      }
      await rpc.finish();
      assert.equal((await rpc.readResponse()).imageId, "60");
    });
  },
);

testOnEach(
  "a stream counts as an open call of 1 MiB until both its ends are done, or its connection",
  async (transport) => {
    const begun = Promise.withResolvers<void>();
    const upload: Upload = (context) => {
      const answer = count(context);
      begun.resolve();
      return answer;
    };
    await withUpload(transport, upload, { maxConnectionBytesInFlight: 1_000_000 }, async ({ server, client, rpc }) => {
      await begun.promise;
      const { openCalls, bytesInFlight } = server.stats();
      assert.equal(openCalls, 1);
      assert.ok(bytesInFlight > limits.streamUnreadBytesMax && bytesInFlight < limits.streamUnreadBytesMax + 100);
      const list = create(environment.ListImagesRequestSchema);
      await assert.rejects(sendRequest(client, list), { fineCode: "OVERLOADED" });
      await rpc.finish();
      await rpc.readResponse();
      await until(() => server.stats().openCalls === 0);

      await openStream(client, create(environment.RegisterImageStreamStartSchema));
      await until(() => server.stats().openCalls === 1);
      await client.close();
      await until(() => server.stats().openCalls === 0);
      assert.equal(server.stats().bytesInFlight, 0);
    });
  },
);
