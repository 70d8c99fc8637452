import { startEcho } from "../peers.ts";
import { compareOn, courses } from "../side-by-side.ts";
import { type Benchmark, compared } from "./benchmark.ts";

const inFlightLevels = [1, 64, 256];

/** The transport alone: the smallest handler on each side. */
export const echo: Benchmark = {
  name: "echo",
  about: "PollSignals answered with a CANCEL signal, no store: our QuicServer and the original's",
  async run(ground, plan, progress) {
    await using ours = await startEcho(ground, "ours");
    await using original = await startEcho(ground, "original");
    const all = courses("echo", { mode: "poll" }, inFlightLevels);
    return compared(
      await compareOn(all, { ground, plan, progress }, async () => [
        { name: "ours", server: ours },
        { name: "original", server: original },
      ]),
    );
  },
};
