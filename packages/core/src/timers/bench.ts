import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { openStore, type Store } from "@runtara/store";
import { openMemoryStore } from "@runtara/store/memory";
import { WorkService } from "../work/index.ts";
import { Background } from "./index.ts";

/**
 * What pending timers cost a core at rest: `node --conditions=runtara-src --expose-gc bench.ts [timers] [database URL]`. Nine of ten are planned
 * starts of instances that a worker may claim, the others time-outs of running ones. With a URL another process makes
 * the rows; without one they are in this process's memory, and only the difference that the services make says something.
 */
const count = Number(process.argv[2] ?? 1_000_000);
const url = process.argv[3];
const restMs = 10_000;
const seed = new Uint8Array(16);
const farMs = Date.now() + 30 * 86_400_000;

async function addTimers(store: Store): Promise<void> {
  const usual = { kind: "startInstance", tenantId: "t", tags: {}, seed } as const;
  const register = { kind: "registerInstance", tenantId: "t", checkTenant: false, seed, staleAfterMs: 0 } as const;
  for (let first = 0; first < count; first += 10_000) {
    const nowMs = Date.now();
    const starts = Array.from({ length: Math.min(10_000, count - first) }, async (_, n) => {
      const instanceId = `i${first + n}`;
      if (n % 10 > 0) return store.run({ ...usual, instanceId, workflow: "w", startAtMs: farMs + n, nowMs });
      await store.run({ ...usual, instanceId, timeoutMs: farMs - nowMs + n, nowMs });
      return store.run({ ...register, instanceId, nowMs });
    });
    await Promise.all(starts);
  }
}

function heapMiB(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

const line = (name: string, value: number, unit: string) =>
  process.stdout.write(`${name.padEnd(48)}${value.toFixed(2).padStart(12)} ${unit}\n`);

/** Makes the rows in a process of its own, so that this one's memory has nothing of it. */
function fillElsewhere(databaseUrl: string): void {
  const file = fileURLToPath(import.meta.url);
  const { status } = spawnSync(process.execPath, [...process.execArgv, file, String(count), databaseUrl, "fill"], {
    stdio: "inherit",
  });
  if (status !== 0) throw new Error(`making the timers ended with ${status}`);
}

async function fill(store: Store): Promise<void> {
  const beganMs = performance.now();
  await addTimers(store);
  line(`${count} timers made in`, (performance.now() - beganMs) / 1_000, "s");
}

async function rest(store: Store): Promise<void> {
  const rowsMiB = heapMiB();
  line("resident before the core", process.memoryUsage.rss() / 2 ** 20, "MiB");
  const core = new Background({ store, staleAfterMs: 120_000 });
  const work = new WorkService({ store });
  const offers = [{ name: "w", versions: [] }];
  const claim = { workerId: "w1", tenantId: "t", offers, capacity: 1, leaseMs: 0, waitMs: 300_000, received: 0 };
  const startMs = performance.now();
  core.start();
  const poll = work.claim({}, claim, () => {});
  await store.run({ kind: "checkHealth" });
  line("first looks took", performance.now() - startMs, "ms");
  // What the start has set off is over by then.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const operations = store.stats().operations;
  const cpu = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, restMs));
  const { user, system } = process.cpuUsage(cpu);
  line("CPU at rest, with a claim held open", (user + system) / 10 / restMs, "% of a core");
  line(`operations in ${restMs / 1_000} s at rest`, store.stats().operations - operations, "");
  line("heap that the core added", heapMiB() - rowsMiB, "MiB");
  line("resident with the core", process.memoryUsage.rss() / 2 ** 20, "MiB");
  poll.abandon();
  await work.close();
  await core.stop();
}

async function main(): Promise<void> {
  if (url !== undefined && process.argv[4] !== "fill") fillElsewhere(url);
  const store = url === undefined ? openMemoryStore() : await openStore(url);
  if (url === undefined || process.argv[4] === "fill") await fill(store);
  if (process.argv[4] !== "fill") await rest(store);
  await store.close();
}

await main();
