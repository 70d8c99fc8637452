import assert from "node:assert/strict";
import { test } from "node:test";
import type { GetCheckpointResponse } from "../gen/runtara/instance/instance_pb.ts";
import { typedClientSuite } from "../testing/client-suite.ts";
import { instanceClient } from "./client.ts";
import { instanceProtocol } from "./protocol.ts";

typedClientSuite(instanceProtocol, instanceClient);

test("fields and answers are typed by the schemas", async () => {
  const sent: unknown[] = [];
  const client = instanceClient({
    call(message) {
      sent.push(message);
      return Promise.reject(new Error("not sent"));
    },
  });
  const answer: Promise<GetCheckpointResponse> = client.getCheckpoint({ instanceId: "i", checkpointId: "c" });
  await assert.rejects(answer);
  // @ts-expect-error no such field
  await assert.rejects(client.getCheckpoint({ instance: "i" }));
  // @ts-expect-error no such call
  assert.equal(client.getCheckpoints, undefined);
  assert.deepEqual(sent[0], {
    $typeName: "runtara.instance.GetCheckpointRequest",
    instanceId: "i",
    checkpointId: "c",
  });
});
