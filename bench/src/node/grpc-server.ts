// `node grpc-server.ts ADDR`: the echo server's twin on gRPC in JavaScript, plaintext. Prints `ready grpc ADDR`.
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { create, instance } from "@runtara/protocol";
import { type PollRequest, type PollResponse, pollService } from "./grpc-service.ts";
import { onEnd } from "./lifetime.ts";

const address = process.argv[2] ?? "127.0.0.1:0";
const server = new Server();
server.addService(pollService, {
  poll(call: ServerUnaryCall<PollRequest, PollResponse>, answer: sendUnaryData<PollResponse>) {
    const { instanceId } = call.request;
    const signal = { instanceId, signalType: instance.SignalType.SIGNAL_CANCEL };
    answer(null, create(instance.PollSignalsResponseSchema, { signal }));
  },
});
server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
  if (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
  process.stdout.write(`ready grpc ${address.slice(0, address.lastIndexOf(":"))}:${port}\n`);
});
onEnd(() => server.forceShutdown());
