import type { Results } from "./benchmarks/benchmark.ts";
import type { Comparison } from "./side-by-side.ts";

/** What we promise ourselves on a machine of two cores, with the load generator beside the server. */
export interface Target {
  readonly name: string;
  readonly wanted: string;
  readonly got: string;
  readonly met: boolean;
}

/** The targets that these results can say something about. */
export function targetsOf(results: Results): Target[] {
  const targets: Target[] = [];
  const at = (benchmark: string, inFlight: number): Comparison | undefined =>
    results.comparisons.find((found) => found.benchmark === benchmark && found.load.inFlight === inFlight);

  const echo = at("echo", 256)?.ratio;
  if (echo !== undefined) targets.push(target("echo, 256 in flight, against the original", "≥ 1", echo, echo >= 1));

  const busy = at("checkpoints", 256)?.left.measured;
  if (busy)
    targets.push(
      target("checkpoints/s, 256 in flight", "≥ 45,000", busy.callsPerSecond, busy.callsPerSecond >= 45_000),
    );
  const alone = at("checkpoints", 1)?.left.measured;
  if (alone) {
    targets.push(target("checkpoints/s, alone", "≥ 6,000", alone.callsPerSecond, alone.callsPerSecond >= 6000));
    targets.push(target("checkpoint p50 µs, alone", "≤ 200", alone.p50Us, alone.p50Us <= 200));
  }
  const ours = results.comparisons
    .filter((found) => found.benchmark === "checkpoints")
    .map((found) => found.left.measured);
  const errors = ours.reduce((total, measured) => total + measured.errors, 0);
  if (ours.length > 0) targets.push(target("checkpoint errors", "0", errors, errors === 0));

  for (const { load, ratio } of results.comparisons.filter((found) => found.benchmark === "full-store")) {
    if (ratio === undefined) continue;
    targets.push(target(`full store against empty, ${load.inFlight} in flight`, "≥ 0.9", ratio, ratio >= 0.9));
  }
  const rest = results.figures.find((figure) => figure.name === "core at rest");
  if (rest) targets.push(target("core at rest, MiB", "≤ 114 (120 MB)", rest.ours, rest.ours * 2 ** 20 <= 120e6));
  return targets;
}

function target(name: string, wanted: string, got: number, met: boolean): Target {
  return { name, wanted, got: got >= 1000 ? Math.round(got).toLocaleString("en-US") : got.toFixed(2), met };
}
