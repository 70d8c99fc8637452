import { startCore } from "../peers.ts";
import { emptyDatabase, startPostgres } from "../postgres.ts";
import { compareOn, courses } from "../side-by-side.ts";
import { type Benchmark, compared } from "./benchmark.ts";

const inFlightLevels = [1, 64, 256];

/** New checkpoints of 256 bytes on PostgreSQL, beside the same on SQLite. */
export const postgres: Benchmark = {
  name: "postgres",
  about: "durable checkpoints of 256 B: our core on PostgreSQL beside our core on SQLite",
  async run(ground, plan, progress) {
    await using server = await startPostgres();
    const all = courses("postgres", { mode: "checkpoint" }, inFlightLevels);
    return compared(
      await compareOn(all, { ground, plan, progress }, async (running) => {
        const database = running.use(await emptyDatabase(ground, server));
        return [
          { name: "PostgreSQL", server: running.use(await database.startCore()) },
          { name: "SQLite", server: running.use(await startCore(ground, "ours")) },
        ];
      }),
    );
  },
};
