import { bothCores } from "../both-peers.ts";
import { compareOn, courses } from "../side-by-side.ts";
import { type Benchmark, compared } from "./benchmark.ts";

const inFlightLevels = [1, 16, 64, 256];

/** New checkpoints of 256 bytes on SQLite, each acknowledged only when it is on disk; one instance per caller. */
export const checkpoints: Benchmark = {
  name: "checkpoints",
  about: "durable checkpoints of 256 B on SQLite: our core and the original's",
  async run(ground, plan, progress) {
    const all = courses("checkpoints", { mode: "checkpoint" }, inFlightLevels);
    return compared(await compareOn(all, { ground, plan, progress }, bothCores(ground)));
  },
};
