/**
 * What the SQLite store does per second, by kind of operation, by host in turns. Each caller submits its next operation when it
 * has heard of the last.
 *
 *     node --conditions=runtara-src packages/store/bench/store.ts --kinds checkpoints --callers 1,256 --rounds 3 --ms 1500
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { OperationKind, OperationOf, Store } from "@runtara/store";
import { openSqliteStore } from "@runtara/store/sqlite";
import { type Kind, kinds } from "./kinds.ts";

const { values } = parseArgs({
  options: {
    kinds: { type: "string", default: kinds.map(({ name }) => name).join(",") },
    hosts: { type: "string", default: "inline,thread" },
    callers: { type: "string", default: "1,64,256" },
    rounds: { type: "string", default: "3" },
    ms: { type: "string", default: "1500" },
    directory: { type: "string", default: tmpdir() },
  },
});

interface Figures {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of all threads, for each operation. */
  readonly cpuMicros: number;
  /** For 1,000 operations. A transaction that wrote is one sync. */
  readonly transactions: number;
  readonly statements: number;
}

/** Keeps `callers` operations under way for a while, of which the first third is not counted. */
async function load(store: Store, kind: Kind, callers: number, ms: number): Promise<Figures> {
  const latencies: number[] = [];
  let counting = false;
  let stopped = false;
  let left = callers;
  const { promise: all, resolve, reject } = Promise.withResolvers<void>();
  const call = (caller: number, turn: number): void => {
    const submittedAt = performance.now();
    store.submit(kind.next(caller, turn) as OperationOf<OperationKind>, (error, result) => {
      if (error !== undefined) return reject(error);
      if ("outcome" in result && result.outcome !== kind.right) return reject(new Error(result.outcome));
      if (counting) latencies.push(performance.now() - submittedAt);
      if (!stopped) return call(caller, turn + 1);
      left -= 1;
      if (left === 0) resolve();
    });
  };
  for (let caller = 0; caller < callers; caller += 1) call(caller, 0);
  await pause(ms / 2);
  counting = true;
  const before = store.stats();
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await pause(ms);
  const elapsedMs = performance.now() - startedAt;
  const after = store.stats();
  const cpu = process.cpuUsage(cpuBefore);
  counting = false;
  const count = latencies.length;
  stopped = true;
  await all;
  latencies.sort((a, b) => a - b);
  const perThousand = (some: number) => (some / count) * 1_000;
  return {
    perSecond: (count / elapsedMs) * 1_000,
    p50Ms: latencies[Math.floor(count * 0.5)] ?? Number.NaN,
    p99Ms: latencies[Math.floor(count * 0.99)] ?? Number.NaN,
    cpuMicros: (cpu.user + cpu.system) / count,
    transactions: perThousand(after.transactions - before.transactions),
    statements: perThousand(after.statements - before.statements),
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function measure(host: "inline" | "assisted" | "thread", kind: Kind, callers: number): Promise<Figures> {
  const directory = mkdtempSync(join(values.directory, "runtara-store-bench-"));
  try {
    const store = await openSqliteStore(
      { engine: "sqlite", path: join(directory, "bench.db"), create: true },
      { host },
    );
    await kind.prepare(store, callers);
    const figures = await load(store, kind, callers, Number(values.ms));
    await store.close();
    return figures;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function median(all: readonly Figures[], of: (figures: Figures) => number, digits: number): string {
  const sorted = all.map(of).sort((a, b) => a - b);
  return (sorted[Math.floor(sorted.length / 2)] ?? Number.NaN).toFixed(digits);
}

const hosts = values.hosts.split(",").map((host) => (host === "thread" || host === "assisted" ? host : "inline"));
const wanted = kinds.filter(({ name }) => values.kinds.split(",").includes(name));
console.log(
  "| kind | in flight | host | per second | p50 ms | p99 ms | CPU µs | transactions per 1,000 | statements per 1,000 |",
);
console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
for (const kind of wanted) {
  for (const callers of values.callers.split(",").map(Number)) {
    const results = hosts.map((): Figures[] => []);
    for (let round = 0; round < Number(values.rounds); round += 1) {
      for (const [index, host] of hosts.entries()) results[index]?.push(await measure(host, kind, callers));
    }
    for (const [index, host] of hosts.entries()) {
      const all = results[index] ?? [];
      const cells = [
        kind.name,
        callers,
        host,
        median(all, ({ perSecond }) => perSecond, 0),
        median(all, ({ p50Ms }) => p50Ms, 3),
        median(all, ({ p99Ms }) => p99Ms, 2),
        median(all, ({ cpuMicros }) => cpuMicros, 1),
        median(all, ({ transactions }) => transactions, 1),
        median(all, ({ statements }) => statements, 0),
      ];
      console.log(`| ${cells.join(" | ")} |`);
    }
  }
}
