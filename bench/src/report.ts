import type { Fact, Figure, Results } from "./benchmarks/benchmark.ts";
import type { Measured } from "./measured.ts";
import type { Comparison } from "./side-by-side.ts";
import { ratio } from "./statistics.ts";
import type { StepsMeasured } from "./steps/measured.ts";
import { renderSteps } from "./steps/report.ts";
import { renderTable } from "./table.ts";

const header = [
  "benchmark",
  "in flight",
  "server",
  "calls/s",
  "min–max",
  "p50 µs",
  "p99 µs",
  "errors",
  "CPU µs/call",
  "ratio",
];

/** The results as tables. */
export function renderResults(results: Results): string {
  const parts: string[] = [];
  if (results.comparisons.length > 0) parts.push(renderTable([header, ...results.comparisons.flatMap(comparisonRows)]));
  if (results.figures.length > 0) {
    parts.push(renderTable([["figure", "ours", "original", "unit", "ratio"], ...results.figures.map(figureRow)]));
  }
  const facts = results.facts ?? [];
  if (facts.length > 0) parts.push(renderTable([["figure", "ours", "unit"], ...facts.map(factRow)]));
  const { steps = [] } = results;
  if (steps.length > 0) parts.push(renderSteps(steps));
  const errors = [...errorLines(results.comparisons), ...stepsErrorLines(steps)];
  if (errors.length > 0) parts.push(`Errors:\n${errors.join("\n")}`);
  return parts.join("\n\n");
}

function comparisonRows(comparison: Comparison): string[][] {
  const { benchmark, load, left, right } = comparison;
  const factor = comparison.ratio === undefined ? "" : `${comparison.ratio.toFixed(2)} ×`;
  return [
    [benchmark, `${load.inFlight}`, left.name, ...measuredCells(left.measured), factor],
    [benchmark, `${load.inFlight}`, right.name, ...measuredCells(right.measured), "1"],
  ];
}

function measuredCells(measured: Measured): string[] {
  return [
    whole(measured.callsPerSecond),
    `${whole(measured.callsPerSecondMin)}–${whole(measured.callsPerSecondMax)}`,
    whole(measured.p50Us),
    whole(measured.p99Us),
    whole(measured.errors),
    measured.serverCpuUs.toFixed(1),
  ];
}

function figureRow(figure: Figure): string[] {
  const { benchmark, name, ours, original, unit } = figure;
  const factor = ratio(ours, original);
  const digits = unit === "MiB" ? 1 : 3;
  const cells = [ours.toFixed(digits), original.toFixed(digits), unit];
  return [`${benchmark}: ${name}`, ...cells, factor === undefined ? "" : `${factor.toFixed(2)} ×`];
}

function factRow({ benchmark, name, value, unit }: Fact): string[] {
  return [`${benchmark}: ${name}`, Number.isInteger(value) ? whole(value) : value.toFixed(value < 100 ? 3 : 0), unit];
}

function errorLines(comparisons: readonly Comparison[]): string[] {
  return comparisons.flatMap(({ benchmark, load, left, right }) =>
    [left, right].flatMap(({ name, measured }) =>
      Object.entries(measured.errorTexts).map(
        ([text, count]) => `  ${benchmark}, ${load.inFlight} in flight, ${name}: ${count} × ${text}`,
      ),
    ),
  );
}

function stepsErrorLines(all: readonly StepsMeasured[]): string[] {
  return all.flatMap(({ contestant, errors }) =>
    [...new Set(errors)].slice(0, 5).map((text) => `  ${contestant}: ${text}`),
  );
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
