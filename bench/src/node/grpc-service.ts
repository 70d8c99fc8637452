import type { MessageShape } from "@bufbuild/protobuf";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { decodeMessage, encodeMessage, instance } from "@runtara/protocol";

export type PollRequest = MessageShape<typeof instance.PollSignalsRequestSchema>;
export type PollResponse = MessageShape<typeof instance.PollSignalsResponseSchema>;

/** The same messages as in our calls, encoded by the same code, so that only the way of transport differs. */
export const pollService = {
  poll: {
    path: "/bench.Poll/Poll",
    requestStream: false,
    responseStream: false,
    requestSerialize: (value: PollRequest) => Buffer.from(encodeMessage(instance.PollSignalsRequestSchema, value)),
    requestDeserialize: (bytes: Buffer): PollRequest => decodeMessage(instance.PollSignalsRequestSchema, bytes),
    responseSerialize: (value: PollResponse) => Buffer.from(encodeMessage(instance.PollSignalsResponseSchema, value)),
    responseDeserialize: (bytes: Buffer): PollResponse => decodeMessage(instance.PollSignalsResponseSchema, bytes),
  },
} as const satisfies ServiceDefinition;
