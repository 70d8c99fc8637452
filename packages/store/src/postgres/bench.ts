/**
 * Durable checkpoints per second of the PostgreSQL engine, with its latencies and statements. Usage:
 *
 *     node --conditions=runtara-src src/postgres/bench.ts [--url postgres://…] [--seconds 5] [--flight 64,256] [--processes 1,2]
 *
 * Without a URL it starts a throwaway cluster of the installed PostgreSQL, with its defaults (fsync on).
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import type { Store } from "@runtara/store";
import { parseDatabaseUrl } from "../database-url.ts";
import { PostgresServer, testDatabase } from "../testing/postgres-server.ts";
import { openPostgresStore } from "./index.ts";

const instancesPerRun = 1_000;
const state = Buffer.alloc(256, 0x61);

interface Measured {
  readonly saved: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly statementsPerThousand: number;
  /** Of this process, per checkpoint. */
  readonly cpuMicros: number;
}

async function open(url: string): Promise<Store> {
  const location = parseDatabaseUrl(url);
  if (location.engine !== "postgres") throw new Error(`${url} is no PostgreSQL URL`);
  return await openPostgresStore(location);
}

async function register(store: Store, prefix: string): Promise<string[]> {
  const ids = Array.from({ length: instancesPerRun }, (_, index) => `${prefix}-${index}`);
  const seed = new Uint8Array(16);
  await Promise.all(
    ids.map((instanceId) =>
      store.run({
        kind: "registerInstance",
        instanceId,
        tenantId: "bench",
        checkTenant: false,
        seed,
        nowMs: Date.now(),
        staleAfterMs: 0,
      }),
    ),
  );
  return ids;
}

/** Keeps `flight` new checkpoints under way until the time is up. */
async function measure(store: Store, ids: readonly string[], flight: number, seconds: number): Promise<Measured> {
  const latencies: number[] = [];
  const before = store.stats().statements;
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const end = begin + seconds * 1_000;
  let number = 0;
  let failed: unknown;
  const one = (finished: () => void) => {
    const started = performance.now();
    if (started >= end || failed !== undefined) return finished();
    number += 1;
    const instanceId = ids[number % ids.length] ?? "";
    const checkpointId = `step-${number}`;
    store.submit({ kind: "saveCheckpoint", instanceId, checkpointId, state, nowMs: Date.now() }, (error, result) => {
      if (error !== undefined || result.outcome !== "saved") failed = error ?? new Error(result?.outcome);
      latencies.push(performance.now() - started);
      one(finished);
    });
  };
  await Promise.all(Array.from({ length: flight }, () => new Promise<void>((resolve) => one(resolve))));
  if (failed !== undefined) throw failed;
  const took = (performance.now() - begin) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
  return {
    saved: latencies.length,
    seconds: took,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    statementsPerThousand: ((store.stats().statements - before) / latencies.length) * 1_000,
    cpuMicros: (user + system) / latencies.length,
  };
}

async function child(): Promise<void> {
  const { url, flight, seconds, prefix } = JSON.parse(process.argv[3] ?? "{}");
  const store = await open(url);
  const ids = await register(store, prefix);
  process.send?.("ready");
  await once(process, "message");
  const measured = await measure(store, ids, flight, seconds);
  await store.close();
  process.send?.(measured);
  process.disconnect();
}

async function runProcesses(url: string, processes: number, flight: number, seconds: number): Promise<Measured[]> {
  const share = Math.ceil(flight / processes);
  const children = Array.from({ length: processes }, (_, index) =>
    fork(import.meta.filename, [
      "--child",
      JSON.stringify({ url, flight: share, seconds, prefix: `${Date.now()}-${index}` }),
    ]),
  );
  await Promise.all(children.map((each) => once(each, "message")));
  const results = children.map(async (each) => {
    each.send("go");
    const [measured] = await once(each, "message");
    await once(each, "exit");
    return measured as Measured;
  });
  return await Promise.all(results);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      url: { type: "string" },
      seconds: { type: "string", default: "5" },
      flight: { type: "string", default: "64,256" },
      processes: { type: "string", default: "1,2" },
    },
  });
  await using stack = new AsyncDisposableStack();
  let { url } = values;
  if (url === undefined) {
    const server = stack.use(await PostgresServer.start());
    const database = stack.use(await testDatabase(server));
    url = database.url;
  }
  for (const processes of values.processes.split(",").map(Number)) {
    for (const flight of values.flight.split(",").map(Number)) {
      const all = await runProcesses(url, processes, flight, Number(values.seconds));
      const perSecond = all.reduce((sum, { saved, seconds }) => sum + saved / seconds, 0);
      const worst = (pick: (measured: Measured) => number): string => Math.max(...all.map(pick)).toFixed(2);
      console.log(
        `${processes} process(es), ${flight} in flight: ${perSecond.toFixed(0)}/s, p50 ${worst((m) => m.p50Ms)} ms, p99 ${worst((m) => m.p99Ms)} ms, ${worst((m) => m.statementsPerThousand)} statements per 1,000, ${worst((m) => m.cpuMicros)} µs of the client's CPU each`,
      );
    }
  }
}

await (process.argv[2] === "--child" ? child() : main());
