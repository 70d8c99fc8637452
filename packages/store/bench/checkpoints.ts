/**
 * How many checkpoints the SQLite store takes: new ones of 256 bytes, in groups that are flushed together, inline on this thread.
 *
 *     node --conditions=runtara-src packages/store/bench/checkpoints.ts --batch 64 --instances 256 --count 200000 --prefill 0
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openStore, type Store } from "@runtara/store";

const { values } = parseArgs({
  options: {
    batch: { type: "string", default: "64" },
    instances: { type: "string", default: "256" },
    count: { type: "string", default: "200000" },
    prefill: { type: "string", default: "0" },
    bytes: { type: "string", default: "256" },
    directory: { type: "string", default: tmpdir() },
  },
});
const batch = Number(values.batch);
const instances = Number(values.instances);
const state = new Uint8Array(Number(values.bytes)).fill(97);
let failures = 0;

async function register(store: Store): Promise<void> {
  for (let n = 0; n < instances; n += 1) {
    const nowMs = Date.now();
    await store.run({ kind: "registerInstance", instanceId: `instance-${n}`, tenantId: "bench", allowedIn: [], nowMs });
  }
}

/** Saves checkpoints number `from` up to `to`, spread over the instances in turn. */
function save(store: Store, from: number, to: number, size: number): void {
  for (let n = from; n < to; n += size) {
    for (let k = n; k < Math.min(n + size, to); k += 1) {
      const checkpointId = `step-${Math.floor(k / instances)}`;
      store.submit(
        {
          kind: "saveCheckpoint",
          instanceId: `instance-${k % instances}`,
          checkpointId,
          state,
          allowedIn: ["running"],
          nowMs: Date.now(),
        },
        (error, result) => {
          if (error !== undefined || result.outcome !== "saved") failures += 1;
        },
      );
    }
    store.flush();
  }
}

const directory = mkdtempSync(join(values.directory, "runtara-store-bench-"));
try {
  const store = await openStore(`sqlite:${join(directory, "bench.db")}`);
  await register(store);
  const prefill = Number(values.prefill);
  save(store, 0, prefill, 512);
  const count = Number(values.count);
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  save(store, prefill, prefill + count, batch);
  const elapsedMs = performance.now() - startedAt;
  const cpu = process.cpuUsage(cpuBefore);
  await store.close();
  const perSecond = Math.round((count / elapsedMs) * 1000);
  const cpuMicros = Number(((cpu.user + cpu.system) / count).toFixed(1));
  console.log(
    JSON.stringify({ batch, instances, prefill, count, failures, perSecond, cpuMicrosPerOperation: cpuMicros }),
  );
} finally {
  rmSync(directory, { recursive: true });
}
