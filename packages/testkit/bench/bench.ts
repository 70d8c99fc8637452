// What the kit costs: node --conditions=runtara-src packages/testkit/bench/bench.ts [--json]
import { sleep, step, workflow } from "@runtara/sdk";
import { createTest, everyCrash } from "@runtara/testkit";

const month = workflow("month", async () => {
  for (let timer = 0; timer < 10; timer++) {
    await sleep("rest", "3d");
    await step("note", () => timer);
  }
});

const fifty = workflow("fifty", async () => {
  let sum = 0;
  for (let place = 0; place < 50; place++) sum += await step("add", () => place);
  return sum;
});

const isJson = process.argv.includes("--json");
/** Median ms, for machines. */
const medians: Record<string, number> = {};

async function measure(what: string, times: number, run: () => Promise<string>): Promise<void> {
  const figures: { wall: number; cpu: number }[] = [];
  let note = "";
  for (let time = 0; time < times; time++) {
    const [wall, cpu] = [performance.now(), process.cpuUsage()];
    note = await run();
    const { user, system } = process.cpuUsage(cpu);
    figures.push({ wall: performance.now() - wall, cpu: (user + system) / 1_000 });
  }
  const [first] = figures;
  const last = figures.toSorted((a, b) => a.wall - b.wall)[figures.length >> 1];
  medians[what] = last?.wall ?? Number.NaN;
  if (isJson) return;
  console.log(
    `${what}: first ${first?.wall.toFixed(1)} ms (cpu ${first?.cpu.toFixed(1)}), median of ${times} ${last?.wall.toFixed(1)} ms (cpu ${last?.cpu.toFixed(1)})${note}`,
  );
}

await measure("30 days with ten timers", 31, async () => {
  const rt = await createTest({ workflows: [month], seed: 1 });
  const handle = await rt.start(month);
  await rt.advance("30d");
  await handle.result();
  await rt.close();
  return "";
});

await measure("everyCrash over 50 steps", 3, async () => {
  const { runs, crashes, boundaries } = await everyCrash(fifty, undefined, { seed: 1 });
  return `; ${runs} runs, ${crashes} crashes at ${boundaries} commits`;
});

if (isJson) console.log(JSON.stringify(medians));
