// Steps per second of a worker on a core in a process of its own, over QUIC: 64 workflows of 100 steps at once, and one workflow whose steps follow
// one another. Start and result are in the figure.
//   node --conditions=runtara-src packages/sdk/bench/remote-steps.ts [--engine sqlite|postgres] [--rounds N] [--alone STEPS] [--json]
// CPU times are what is left of the figure on a busy machine; the core's are read from /proc (Linux).
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { step, workflow } from "@runtara/sdk";
import { serve } from "@runtara/sdk/worker";
import { testDatabase } from "@runtara/store/testing/postgres";

const { values } = parseArgs({
  options: {
    engine: { type: "string", default: "sqlite" },
    rounds: { type: "string", default: "7" },
    alone: { type: "string", default: "400" },
    json: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
const stepsAlone = Number(values.alone);
const result = { total: 7, items: [{ id: "a", price: 12.5 }], note: "a result of about 100 bytes, as steps have" };

const steps = workflow("steps", async (count: number) => {
  for (let index = 0; index < count; index++) await step("charge", () => result);
});

const program = `
import { startCore } from "@runtara/core/server";
const server = await startCore({ databaseUrl: process.argv[1], bindAddr: "127.0.0.1:0" });
console.log(server.address);
process.stdin.resume();
process.stdin.on("end", () => void server.close().then(() => process.exit(0)));
`;

/** Milliseconds that a process has computed so far, its threads included. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  const ticksPerSecond = 100;
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond;
}

interface Figure {
  readonly what: string;
  readonly stepsPerSecond: number;
  readonly microsecondsPerStep: number;
  readonly workerCpuMicroseconds: number;
  readonly coreCpuMicroseconds: number;
}

const folder = mkdtempSync(join(tmpdir(), "runtara-bench-"));
const database = values.engine === "postgres" ? await testDatabase() : undefined;
const url = database?.url ?? `sqlite:${join(folder, "core.db")}`;
const core = spawn(process.execPath, ["--conditions=runtara-src", "--input-type=module", "--eval", program, url], {
  stdio: ["pipe", "pipe", "inherit"],
  cwd: import.meta.dirname,
});
const [address] = (await once(createInterface({ input: core.stdout }), "line")) as [string];
const runtime = await serve([steps], {
  server: address,
  tls: { dangerouslySkipVerification: true },
  handleSignals: false,
});

/** The median of the rounds by time; the first ones only warm up. */
async function measure(what: string, instances: number, count: number): Promise<Figure> {
  const times: number[] = [];
  let cpu = { worker: 0, core: 0 };
  const warmUps = 3;
  const corePid = core.pid ?? 0;
  for (let round = 0; round < warmUps + rounds; round++) {
    if (round === warmUps) cpu = { worker: cpuMsOf(process.pid), core: cpuMsOf(corePid) };
    const begin = performance.now();
    await Promise.all(Array.from({ length: instances }, () => runtime.run(steps, count)));
    times.push(performance.now() - begin);
  }
  const measured = rounds * instances * count;
  const sorted = times.slice(warmUps).sort((one, other) => one - other);
  const medianMs = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const perStep = (ms: number): number => Math.round((ms * 10_000) / measured) / 10;
  return {
    what,
    stepsPerSecond: Math.round((instances * count * 1_000) / medianMs),
    microsecondsPerStep: Math.round((medianMs * 10_000) / (instances * count)) / 10,
    workerCpuMicroseconds: perStep(cpuMsOf(process.pid) - cpu.worker),
    coreCpuMicroseconds: perStep(cpuMsOf(corePid) - cpu.core),
  };
}

try {
  const figures = [await measure("64 x 100", 64, 100), await measure("one after another", 1, stepsAlone)];
  if (values.json) console.log(JSON.stringify({ engine: values.engine, figures }));
  else console.table(figures);
} finally {
  await runtime.close({ drain: 0 });
  core.stdin.end();
  await once(core, "exit");
  await database?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
}
