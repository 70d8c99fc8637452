import { startEcho, startGrpcEcho } from "../peers.ts";
import { type Comparison, compareOn, courses } from "../side-by-side.ts";
import { type Benchmark, compared } from "./benchmark.ts";

const inFlightLevels = [1, 64];

/** Client and server both in Node, a process each: ours encrypted, gRPC's in the clear. */
export const clients: Benchmark = {
  name: "clients",
  about: "the same call by our client on our server and by @grpc/grpc-js on its own, both in Node",
  async run(ground, plan, progress) {
    await using ours = await startEcho(ground, "ours");
    await using grpc = await startGrpcEcho();
    const comparisons: Comparison[] = [];
    for (const generator of ["quic", "http2"] as const) {
      const all = courses(`clients ${generator}`, { mode: "poll" }, inFlightLevels);
      const some = await compareOn(all, { ground, plan, progress }, async () => [
        { name: `ours, ${generator}`, server: ours, generator },
        { name: "grpc-js, plaintext", server: grpc, generator: "grpc" },
      ]);
      comparisons.push(...some);
    }
    return compared(comparisons);
  },
};
