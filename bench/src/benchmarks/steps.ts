import { countFsyncs, straceInstalled } from "../fsync.ts";
import { startPostgres } from "../postgres.ts";
import type { Contestant } from "../steps/contestant.ts";
import { entrants, installPeers } from "../steps/contestants.ts";
import { measuredOf, type StepsSample, sampleOf } from "../steps/measured.ts";
import type { RoundAnswer } from "../steps/rounds.ts";
import type { Benchmark, Fact } from "./benchmark.ts";

const loads = [
  { workflows: 64, steps: 100 },
  { workflows: 1, steps: 100 },
] as const;

/** Durable steps of whole workflows, beside other systems. Only one contestant works at a time; the order changes each round. */
export const steps: Benchmark = {
  name: "steps",
  about: "durable steps per second of whole workflows: ours embedded and over QUIC, beside Restate and DBOS",
  isWithoutOriginal: true,
  async run(ground, plan, progress) {
    installPeers(progress);
    await using postgres = await startPostgres();
    const running = new Map<string, Contestant>();
    await using stack = new AsyncDisposableStack();
    for (const { name, start } of entrants) {
      running.set(name, stack.use(await start(ground, postgres)));
      progress(`steps: ${name} is ready`);
    }
    const measured = [];
    for (const load of loads) {
      const samples = new Map<string, StepsSample[]>();
      for (const [name, contestant] of running) {
        samples.set(name, []);
        await work(contestant, load, plan.warmupSeconds);
      }
      for (let round = 0; round < plan.rounds; round++) {
        for (const [name, contestant] of rotated([...running], round)) {
          const before = contestant.cpuSeconds();
          const answers = await work(contestant, load, plan.seconds);
          const sample = sampleOf(answers, load.steps, contestant.cpuSeconds() - before);
          samples.get(name)?.push(sample);
          const rate = Math.round(sample.stepsPerSecond).toLocaleString("en-US");
          progress(`steps, ${load.workflows} at once, round ${round + 1}/${plan.rounds}, ${name}: ${rate}/s`);
        }
      }
      for (const [name, some] of samples) measured.push(measuredOf(name, load, some));
    }
    const facts = straceInstalled() ? await countedFsyncs(running, progress) : [];
    return { comparisons: [], figures: [], facts, steps: measured };
  },
};

/** In rounds of their own, because the tracer slows them. */
async function countedFsyncs(
  running: ReadonlyMap<string, Contestant>,
  progress: (text: string) => void,
): Promise<Fact[]> {
  const facts: Fact[] = [];
  for (const load of loads) {
    for (const [name, contestant] of running) {
      const fsyncs = await countFsyncs(contestant.pids(), () => contestant.run(load));
      const value = fsyncs / (load.workflows * load.steps);
      facts.push({ benchmark: "steps", name: `fsyncs per step, ${name}, ${load.workflows} at once`, value, unit: "" });
      progress(`steps: ${name}, ${load.workflows} at once: ${value.toFixed(3)} fsyncs per step`);
    }
  }
  return facts;
}

async function work(contestant: Contestant, load: (typeof loads)[number], seconds: number): Promise<RoundAnswer[]> {
  const until = performance.now() + seconds * 1000;
  const answers: RoundAnswer[] = [];
  do answers.push(await contestant.run(load));
  while (performance.now() < until);
  return answers;
}

function rotated<Item>(items: readonly Item[], by: number): readonly Item[] {
  const from = by % items.length;
  return [...items.slice(from), ...items.slice(0, from)];
}
