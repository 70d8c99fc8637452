import { startCore, startEcho } from "../peers.ts";
import { compareOn, courses } from "../side-by-side.ts";
import { type Benchmark, compared } from "./benchmark.ts";

const inFlightLevels = [64];
const stateBytes = 65_536;

/** Large states: what storing them takes beside carrying them. */
export const states: Benchmark = {
  name: "states",
  about: "new checkpoints of 64 KiB: our core on SQLite beside our server that throws them away",
  async run(ground, plan, progress) {
    const all = courses("states 64 KiB", { mode: "checkpoint", stateBytes, isForgotten: true }, inFlightLevels);
    return compared(
      await compareOn(all, { ground, plan, progress }, async (running) => [
        { name: "core", server: running.use(await startCore(ground, "ours")) },
        { name: "nothing stored", server: running.use(await startEcho(ground, "ours")) },
      ]),
    );
  },
};
