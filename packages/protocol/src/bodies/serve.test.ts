import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { QuicClient } from "../client/client.ts";
import { environmentProtocol } from "../environment/protocol.ts";
import * as environment from "../gen/runtara/environment/environment_pb.ts";
import { serve } from "../server/serve.ts";
import { QuicServer } from "../server/server.ts";
import type { Service } from "../server/service.ts";
import { memoryTransport } from "../transport/memory/transport.ts";
import { readableBody } from "./readable-body.ts";
import { uploadStream } from "./upload-stream.ts";

test("a service reads its bodies from context.stream(); a body that is not as announced is the call's error", async () => {
  const refuse = (): never => assert.fail("only uploads here");
  const others = [...environmentProtocol.requestCases.values()].map((name) => [name, refuse]);
  const service: Service<environment.RpcRequest, environment.RpcResponse> = {
    ...Object.fromEntries(others),
    async registerImageStream({ binarySize, sha256 }, context) {
      const body = readableBody(context.stream(), { expectedBytes: binarySize, expectedSha256: sha256 });
      const blob = await new Response(body).blob();
      return create(environment.RegisterImageResponseSchema, { success: true, imageId: `${blob.size}` });
    },
  };
  const transport = memoryTransport();
  await using server = await QuicServer.listen({ transport, ...serve(environmentProtocol, service) });
  await using client = QuicClient.localhost({ transport, serverAddr: server.address });
  const image = new Uint8Array(1_500_000);
  const upload = (init: object): Promise<environment.RegisterImageResponse> =>
    uploadStream(client, create(environment.RegisterImageStreamStartSchema, init), image);

  assert.equal((await upload({ binarySize: 1_500_000n })).imageId, "1500000");
  for (const [init, message] of [
    [{ binarySize: 1_500_001n }, "Expected 1500001 bytes, got 1500000"],
    [{ binarySize: 10n }, /^Expected 10 bytes, got \d+ or more$/],
    [{ binarySize: 1_500_000n, sha256: "00" }, /^Checksum mismatch: expected 00, got [0-9a-f]{64}$/],
  ] as const) {
    await assert.rejects(upload(init), { code: "RPC", rpcCode: "REGISTER_IMAGE_STREAM_ERROR", message });
  }
});
