// Cost of one call's messages, this codec beside protobuf-es: node --conditions=runtara-src scripts/bench-codec.ts
// Each case runs in the same process after the others, so that call sites are as polymorphic as in a server.
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { create, decodeMessage, encodeMessage, instance } from "@runtara/protocol";

const callsPerRound = 200_000;
const rounds = 7;
const { RpcRequestSchema, RpcResponseSchema } = instance;

const request = create(RpcRequestSchema, {
  request: {
    case: "checkpoint",
    value: {
      $typeName: "runtara.instance.CheckpointRequest",
      instanceId: "0f8fad5b-d9cb-469f-a165-70867728950e",
      checkpointId: "process-batch-000123",
      state: new Uint8Array(256).fill(7),
    },
  },
});
const response = create(RpcResponseSchema, {
  response: {
    case: "checkpoint",
    value: { $typeName: "runtara.instance.CheckpointResponse", found: false, state: new Uint8Array() },
  },
});
const requestBytes = toBinary(RpcRequestSchema, request);
const responseBytes = toBinary(RpcResponseSchema, response);

const cases: [name: string, ours: () => unknown, library: () => unknown][] = [
  [
    "server: decode CheckpointRequest of 256 B",
    () => decodeMessage(RpcRequestSchema, requestBytes),
    () => fromBinary(RpcRequestSchema, requestBytes, { readUnknownFields: false }),
  ],
  [
    "server: encode CheckpointResponse",
    () => encodeMessage(RpcResponseSchema, response),
    () => toBinary(RpcResponseSchema, response),
  ],
  [
    "client: encode CheckpointRequest of 256 B",
    () => encodeMessage(RpcRequestSchema, request),
    () => toBinary(RpcRequestSchema, request),
  ],
  [
    "client: decode CheckpointResponse",
    () => decodeMessage(RpcResponseSchema, responseBytes),
    () => fromBinary(RpcResponseSchema, responseBytes, { readUnknownFields: false }),
  ],
];

let sink: unknown;

function bestNanoseconds(call: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < callsPerRound; i++) sink = call();
    best = Math.min(best, Number(process.hrtime.bigint() - start) / callsPerRound);
  }
  return Math.round(best);
}

console.log(`best of ${rounds} rounds of ${callsPerRound} calls, ns per call`);
for (const [name, ours, library] of cases) {
  const [a, b] = [bestNanoseconds(ours), bestNanoseconds(library)];
  console.log(`${name.padEnd(44)} ours ${String(a).padStart(5)}   protobuf-es ${String(b).padStart(5)}`);
}
if (sink === undefined) throw new Error("nothing was measured");
