import { startCore } from "../peers.ts";
import { emptyDatabase, startPostgres } from "../postgres.ts";
import { type Comparison, compare } from "../side-by-side.ts";
import type { Benchmark } from "./benchmark.ts";

const inFlightLevels = [1, 64, 256];

/** New checkpoints of 256 bytes on PostgreSQL, beside the same on SQLite. */
export const postgres: Benchmark = {
  name: "postgres",
  about: "durable checkpoints of 256 B: our core on PostgreSQL beside our core on SQLite",
  async run(ground, plan, progress) {
    await using server = await startPostgres();
    const comparisons: Comparison[] = [];
    for (const inFlight of inFlightLevels) {
      await using database = await emptyDatabase(ground, server);
      await using onPostgres = await database.startCore();
      await using onSqlite = await startCore(ground, "ours");
      const contestants = [
        { name: "PostgreSQL", server: onPostgres },
        { name: "SQLite", server: onSqlite },
      ] as const;
      const load = { mode: "checkpoint", inFlight } as const;
      comparisons.push(await compare("postgres", ground.binFolder, load, plan, contestants, progress));
    }
    return { comparisons, figures: [] };
  },
};
