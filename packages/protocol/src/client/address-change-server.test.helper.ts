import { once } from "node:events";
import { create } from "@bufbuild/protobuf";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import { QuicServer } from "../server/server.ts";

// A process of its own, in a network namespace of its own: listens at its argument once that address is there (any byte
// on the standard input), and writes its address. Every answer says how many connections it has seen.

await once(process.stdin, "data");
let connections = 0;
const server = await QuicServer.listen({
  bindAddr: process.argv[2] ?? "",
  onConnection: () => {
    connections++;
  },
  onCall: (call) =>
    call.respond(create(instance.GetInstanceStatusResponseSchema, { instanceId: `${connections} connections` })),
});
process.stdout.write(server.address);
