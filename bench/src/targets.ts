import type { Fact, Results } from "./benchmarks/benchmark.ts";
import type { Comparison } from "./side-by-side.ts";
import { stepsTargets } from "./steps/report.ts";
import { type Target, target } from "./target.ts";

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
      target("their p99 ms", "≤ 15", busy.p99Us / 1000, busy.p99Us <= 15_000),
    );
  const alone = at("checkpoints", 1)?.left.measured;
  if (alone) {
    targets.push(target("checkpoints/s, alone", "≥ 6,000", alone.callsPerSecond, alone.callsPerSecond >= 6000));
    targets.push(target("checkpoint p50 µs, alone", "≤ 150", alone.p50Us, alone.p50Us <= 150));
  }
  targets.push(...storeTargets(at));
  const ours = results.comparisons
    .filter((found) => found.benchmark === "checkpoints")
    .map((found) => found.left.measured);
  const errors = ours.reduce((total, measured) => total + measured.errors, 0);
  if (ours.length > 0) targets.push(target("checkpoint errors", "0", errors, errors === 0));

  for (const { load, ratio } of results.comparisons.filter((found) => found.benchmark === "full-store")) {
    if (ratio === undefined) continue;
    targets.push(target(`full store against empty, ${load.inFlight} in flight`, "≥ 0.85", ratio, ratio >= 0.85));
  }
  targets.push(...uploadTargets(results));
  targets.push(...factTargets(results.facts ?? []));
  targets.push(...stepsTargets(results.steps ?? []));
  const rest = results.figures.find((figure) => figure.name === "core at rest");
  if (rest) targets.push(target("core at rest, MiB", "≤ 114 (120 MB)", rest.ours, rest.ours * 2 ** 20 <= 120e6));
  return targets;
}

function storeTargets(at: (benchmark: string, inFlight: number) => Comparison | undefined): Target[] {
  const rates: readonly (readonly [benchmark: string, name: string, least: number])[] = [
    ["calls found", "existing checkpoints/s", 60_000],
    ["calls register", "registrations/s", 20_000],
    ["slow-disk", "checkpoints/s with an fsync of 4 ms", 10_000],
  ];
  const targets = rates.flatMap(([benchmark, name, least]) => {
    const rate = at(benchmark, 256)?.left.measured.callsPerSecond;
    if (rate === undefined) return [];
    return [target(`${name}, 256 in flight`, `≥ ${least.toLocaleString("en-US")}`, rate, rate >= least)];
  });
  const onPostgres = at("postgres", 256)?.left.measured;
  if (onPostgres !== undefined) {
    const { callsPerSecond, p99Us } = onPostgres;
    targets.push(
      target("checkpoints/s on PostgreSQL, 256 in flight", "≥ 25,000", callsPerSecond, callsPerSecond >= 25_000),
    );
    targets.push(target("their p99 ms", "≤ 25", p99Us / 1000, p99Us <= 25_000));
  }
  const share = at("states 64 KiB", 64)?.ratio;
  if (share === undefined) return targets;
  return [...targets, target("64 KiB states stored against thrown away", "≥ 0.5", share, share >= 0.5)];
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

/** At most so much: of facts by their names. */
const bounds: Readonly<Record<string, number>> = {
  "import to first durable result": 150,
  "step 10,000 against step 100, live": 1.2,
  "step 10,000 against step 100, after a resume": 1.2,
  "resume at step 10,000": 300,
  "30 days with ten timers in the test kit": 20,
  "everyCrash over 50 steps": 3_000,
  "100,000 sleepers, a process opened on them": 300,
  "100,000 sleepers, the process that started them": 300,
};

function factTargets(facts: readonly Fact[]): Target[] {
  return facts.flatMap(({ benchmark, name, value, unit }) => {
    const bound = bounds[name];
    if (bound !== undefined)
      return [target(`${name}, ${unit}`, `≤ ${bound.toLocaleString("en-US")}`, value, value <= bound)];
    if (/lost|half there/.test(name)) return [target(`${benchmark}: ${name}`, "0", value, value === 0)];
    if (name === "two against one")
      return [target("two cores on one PostgreSQL against one", "≥ 0.9", value, value >= 0.9)];
    if (name.includes("removed")) return [target(`${benchmark}: ${name}`, "> 0", value, value > 0)];
    if (name.includes("resumption")) return [target(`${benchmark}: ${name}, ms`, "≤ 2,000", value, value <= 2_000)];
    return [];
  });
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
