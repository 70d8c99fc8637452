import { startEcho, startGrpcEcho } from "../peers.ts";
import { type Comparison, compare } from "../side-by-side.ts";
import type { Benchmark } from "./benchmark.ts";

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
      for (const inFlight of inFlightLevels) {
        const contestants = [
          { name: `ours, ${generator}`, server: ours, generator },
          { name: "grpc-js, plaintext", server: grpc, generator: "grpc" },
        ] as const;
        const load = { mode: "poll", inFlight } as const;
        const name = `clients ${generator}`;
        comparisons.push(await compare(name, ground.binFolder, load, plan, contestants, progress));
      }
    }
    return { comparisons, figures: [] };
  },
};
