import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import { wasNeverSent } from "../quic-errors.ts";
import { QuicServer } from "../server/server.ts";
import { testOnEach } from "../testing/each-transport.ts";
import { QuicClient } from "./client.ts";

const poll = create(instance.PollSignalsRequestSchema, { instanceId: "i", checkpointId: "s" });

testOnEach(
  "a call that still waits for a free stream when its connection goes is repeated, one that had its stream is not",
  async (transport) => {
    const seen: string[] = [];
    const first = Promise.withResolvers<() => void>();
    await using server = await QuicServer.listen({
      transport,
      maxBiStreams: 1,
      onCall(call) {
        seen.push(call.request.case);
        if (seen.length > 1) call.respond(create(instance.PollSignalsResponseSchema));
        else first.resolve(() => call.connection.close(1, "restart"));
      },
    });
    await using client = QuicClient.localhost({ transport, serverAddr: server.address, retry: { delayMsMin: 1 } });
    await client.connect();
    const begun = client.call(create(instance.SleepRequestSchema, { durationMs: 60_000n }));
    const cut = assert.rejects(begun, (error) => {
      assert.equal((error as { code?: string }).code, "CONNECTION_CLOSED");
      return !wasNeverSent(error);
    });
    const close = await first.promise;
    const waiting = [client.call(poll), client.call(poll)];
    const once = assert.rejects(client.call(poll, { retry: false }), wasNeverSent);
    // The calls are on their way to the network before its end comes from there.
    setImmediate(close);
    await Promise.all([cut, once]);
    await Promise.all(waiting);
    assert.deepEqual(seen, ["sleep", "pollSignals", "pollSignals"]);
  },
);
