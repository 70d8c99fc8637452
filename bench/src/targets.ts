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
  if (echo !== undefined) targets.push(target("echo, 256 in flight, against the original", "≥ 1.1", echo, echo >= 1.1));
  const echoAlone = at("echo", 1);
  if (echoAlone) {
    const slower = echoAlone.left.measured.p50Us / echoAlone.right.measured.p50Us;
    targets.push(target("echo p50, alone, against the original", "≤ 2", slower, slower <= 2));
  }
  targets.push(...clientTargets(at("clients quic", 64), at("clients quic", 1)));

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
  targets.push(...uploadTargets(results));
  const rest = results.figures.find((figure) => figure.name === "core at rest");
  if (rest) targets.push(target("core at rest, MiB", "≤ 114 (120 MB)", rest.ours, rest.ours * 2 ** 20 <= 120e6));
  return targets;
}

function uploadTargets({ figures }: Results): Target[] {
  const targets: Target[] = [];
  const speed = figures.find(({ benchmark, name }) => benchmark === "upload" && name === "1 GiB over QUIC");
  if (speed) {
    const share = speed.ours / speed.original;
    targets.push(target("1 GiB upload over QUIC, MB/s against the original", "≥ 0.8", share, share >= 0.8));
  }
  for (const { name, ours } of figures.filter(({ benchmark, unit }) => benchmark === "upload" && unit === "MiB")) {
    targets.push(target(`${name}, MiB`, "≤ 32", ours, ours <= 32));
  }
  return targets;
}

function clientTargets(busy: Comparison | undefined, alone: Comparison | undefined): Target[] {
  const targets: Target[] = [];
  if (busy?.ratio !== undefined) {
    const { left, right, ratio } = busy;
    const slower = left.measured.p99Us / right.measured.p99Us;
    targets.push(target("our client and server against gRPC's, 64 in flight", "≥ 6", ratio, ratio >= 6));
    targets.push(target("their p99 against gRPC's", "< 1", slower, slower < 1));
  }
  const p50Us = alone?.left.measured.p50Us;
  if (p50Us !== undefined) targets.push(target("our client and server, alone, p50 µs", "≤ 90", p50Us, p50Us <= 90));
  return targets;
}

function target(name: string, wanted: string, got: number, met: boolean): Target {
  return { name, wanted, got: got >= 1000 ? Math.round(got).toLocaleString("en-US") : got.toFixed(2), met };
}
