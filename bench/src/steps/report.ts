import { renderTable } from "../table.ts";
import { type Target, target } from "../target.ts";
import type { StepsMeasured } from "./measured.ts";

const header = ["contestant", "workflows", "steps/s", "min–max", "workflow p50 ms", "p99 ms", "errors", "CPU µs/step"];

/** Tables, one for each number of workflows at once, and beside each rate how it compares with the first one's. */
export function renderSteps(all: readonly StepsMeasured[]): string {
  return [...Map.groupBy(all, ({ workflows }) => workflows).values()]
    .map((some) => {
      const best = some.filter(({ contestant }) => !contestant.startsWith("ours"));
      const columns = best.map(({ contestant }) => `× ${contestant}`);
      return renderTable([[...header, ...columns], ...some.map((one) => row(one, best))]);
    })
    .join("\n\n");
}

function row(one: StepsMeasured, others: readonly StepsMeasured[]): string[] {
  const whole = (value: number): string => Math.round(value).toLocaleString("en-US");
  return [
    one.contestant,
    `${one.workflows} × ${one.steps}`,
    whole(one.stepsPerSecond),
    `${whole(one.stepsPerSecondMin)}–${whole(one.stepsPerSecondMax)}`,
    one.p50Ms.toFixed(1),
    one.p99Ms.toFixed(1),
    whole(one.errors.length),
    one.cpuUsPerStep.toFixed(1),
    ...others.map((other) => (one.stepsPerSecond / other.stepsPerSecond).toFixed(2)),
  ];
}

/** Steps per second that we promise ourselves: 64 workflows of 100 steps, and one. */
const wanted: Readonly<Record<string, readonly [many: number, alone: number]>> = {
  "ours, embedded, SQLite": [40_000, 8_000],
  "ours, worker, SQLite core": [25_000, 4_000],
  "ours, worker, PostgreSQL core": [15_000, 2_500],
};

export function stepsTargets(all: readonly StepsMeasured[]): Target[] {
  return all.flatMap(({ contestant, workflows, stepsPerSecond }) => {
    const least = wanted[contestant]?.[workflows === 1 ? 1 : 0];
    if (least === undefined) return [];
    const name = `steps/s, ${contestant}, ${workflows} at once`;
    return [target(name, `≥ ${least.toLocaleString("en-US")}`, stepsPerSecond, stepsPerSecond >= least)];
  });
}
