import { type Load, measure } from "../load.ts";
import { emptyDatabase, startPostgres } from "../postgres.ts";
import { median } from "../statistics.ts";
import type { Benchmark } from "./benchmark.ts";

const inFlight = 256;

/** Whether a second core process on the same PostgreSQL stands in the first one's way. */
export const postgresTwo: Benchmark = {
  name: "postgres-two",
  about: "two core processes on one PostgreSQL beside one, with as many calls in flight",
  async run(ground, plan, progress) {
    await using server = await startPostgres();
    await using database = await emptyDatabase(ground, server);
    await using first = await database.startCore();
    await using second = await database.startCore();
    const rate = async (target: typeof first, calls: number): Promise<number> => {
      const load: Load = { mode: "checkpoint", inFlight: calls };
      const { callsPerSecond, errors, errorTexts } = await measure(ground.binFolder, target, load, plan);
      if (errors > 0) throw new Error(`postgres-two: ${JSON.stringify(errorTexts)}`);
      return callsPerSecond;
    };
    const alone: number[] = [];
    const together: number[] = [];
    for (let round = 0; round < plan.rounds; round++) {
      alone.push(await rate(first, inFlight));
      const [left, right] = await Promise.all([rate(first, inFlight / 2), rate(second, inFlight / 2)]);
      together.push(left + right);
      progress(
        `postgres-two, round ${round + 1}/${plan.rounds}: ${alone.at(-1)}/s alone, ${together.at(-1)}/s together`,
      );
    }
    const fact = (name: string, value: number, unit: string) => ({ benchmark: "postgres-two", name, value, unit });
    const [one, two] = [median(alone), median(together)];
    return {
      comparisons: [],
      figures: [],
      facts: [
        fact("one core", one, "checkpoints/s"),
        fact("two cores together", two, "checkpoints/s"),
        fact("two against one", two / one, "×"),
      ],
    };
  },
};
