import { Client, credentials } from "@grpc/grpc-js";
import { create, instance } from "@runtara/protocol";
import { type Caller, instanceId } from "./caller.ts";
import { type PollResponse, pollService } from "./grpc-service.ts";

/** gRPC in JavaScript over plaintext HTTP/2, on one connection. */
export async function grpcCaller(address: string): Promise<Caller> {
  const client = new Client(address, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = pollService.poll;
  const ask = (): Promise<PollResponse> => {
    const request = create(instance.PollSignalsRequestSchema, { instanceId });
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) => {
        if (answer) resolve(answer);
        else reject(error ?? new Error("no answer"));
      });
    });
  };
  return {
    async call() {
      const { signal } = await ask();
      if (signal?.instanceId !== instanceId || signal.signalType !== instance.SignalType.SIGNAL_CANCEL) {
        throw new Error("wrong answer");
      }
    },
    close: async () => client.close(),
  };
}
