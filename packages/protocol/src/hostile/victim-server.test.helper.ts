// A server in a process of its own, so that its memory can be measured: forked by victim.test.helper.ts.
import { create } from "@bufbuild/protobuf";
import { readableBody } from "../bodies/readable-body.ts";
import { encodeResponse } from "../envelopes.ts";
import { environmentProtocol } from "../environment/protocol.ts";
import { encodeFrame, frameType } from "../frames.ts";
import * as environment from "../gen/runtara/environment/environment_pb.ts";
import type { ServerCall } from "../server/call.ts";
import type { ServerFault } from "../server/faults.ts";
import { QuicServer } from "../server/server.ts";
import type { ServerStats } from "../server/stats.ts";

/** Bounds that the attacks are measured against. */
export const victimLimits = {
  maxBiStreams: 100,
  maxIncoming: 300,
  frameReadTimeoutMs: 150,
  progressTimeoutMs: 300,
  faultIntervalMs: 500,
  maxConnectionUnsentBytes: 33_554_432,
  maxUnsentBytes: 67_108_864,
  bigAnswerBytes: 4_194_304,
} as const;

/** What the server tells when it is asked. */
export interface Snapshot {
  readonly port: number;
  readonly stats: ServerStats;
  /** Reports since the start; `count` says for how many faults each stands. */
  readonly reports: readonly { readonly kind: ServerFault["kind"]; readonly count: number }[];
  /** The largest since the last snapshot. */
  readonly peakRssBytes: number;
}

if (process.send) await run();

async function run(): Promise<void> {
  const { bigAnswerBytes, ...limits } = victimLimits;
  const reports: { kind: ServerFault["kind"]; count: number }[] = [];
  const bigAnswer = create(environment.GetInstanceStatusResponseSchema, { output: new Uint8Array(bigAnswerBytes) });
  const server = await QuicServer.listen({
    ...limits,
    protocol: environmentProtocol,
    onFault: ({ kind, count }) => reports.push({ kind, count }),
    onCall(call) {
      switch (call.request.case) {
        case "healthCheck":
          return call.respond(create(environment.HealthCheckResponseSchema, { healthy: true }));
        case "getInstanceStatus":
          return call.respond(bigAnswer);
        case "listAgents":
          // Answered when nobody waits for it any more.
          call.onAborted = () => call.respond(create(environment.ListAgentsResponseSchema));
          return;
        case "registerImageStream":
          return void takeImage(call).catch(() => {});
        default:
          return call.respondError("EMPTY_REQUEST", "not here");
      }
    },
  });
  let peakRssBytes = 0;
  const sample = (): void => {
    peakRssBytes = Math.max(peakRssBytes, process.memoryUsage.rss());
  };
  setInterval(sample, 10).unref();
  const send = (): void => {
    sample();
    process.send?.({ port: server.port, stats: server.stats(), reports, peakRssBytes } satisfies Snapshot);
    peakRssBytes = 0;
  };
  process.on("message", send);
  process.once("disconnect", () => void server.close());
  send();
}

async function takeImage(call: ServerCall<environment.RpcRequest, environment.RpcResponse>): Promise<void> {
  const stream = call.stream();
  try {
    const body = readableBody(stream);
    for await (const chunk of body) if (chunk.length === 0) throw new Error("an empty chunk");
    const answer = create(environment.RegisterImageResponseSchema, { success: true, imageId: `${body.bytes}` });
    await stream.write(encodeFrame(frameType.response, encodeResponse(environmentProtocol, answer)));
    await stream.finish();
  } finally {
    stream.reset(0);
  }
}
