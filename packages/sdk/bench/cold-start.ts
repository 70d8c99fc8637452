// From `import()` of the embedded runtime to the first durable result, on a new SQLite file, in new processes: median and parts, in ms.
//   node packages/sdk/bench/cold-start.ts [--runs N] [--from FOLDER] [--json]
// What is built is measured: npx tsc -b first. `--from`: a folder where the packed packages are installed.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "9" },
    from: { type: "string", default: import.meta.dirname },
    json: { type: "boolean", default: false },
  },
});

/** `result`: import, open, start and the first result together; `cpu`: of the main thread in that time, what is left of it on a busy machine.
 *  The process's own start is in neither. */
const program = `
const mainThread = process.threadCpuUsage?.bind(process) ?? process.cpuUsage;
const cpuBegin = mainThread();
const begin = performance.now();
const [{ workflow, step }, { open }] = await Promise.all([import("@runtara/sdk"), import("@runtara/sdk/embedded")]);
const imported = performance.now();
const greet = workflow("greet", async (name) => step("greet", () => "Hello " + name));
const runtime = await open({ store: process.argv[1], workflows: [greet] });
const opened = performance.now();
await runtime.run(greet, "World");
const done = performance.now();
const { user, system } = mainThread(cpuBegin);
console.log(JSON.stringify({ import: imported - begin, open: opened - imported, run: done - opened, result: done - begin, cpu: (user + system) / 1000 }));
await runtime.close();
`;

type Times = Record<"import" | "open" | "run" | "result" | "cpu", number>;

const folder = mkdtempSync(join(tmpdir(), "runtara-bench-"));
try {
  const times = Array.from({ length: Number(values.runs) }, (_, run): Times => {
    const url = `sqlite:${join(folder, `${run}.db`)}`;
    const args = ["--input-type=module", "--eval", program, url];
    const output = execFileSync(process.execPath, args, { cwd: values.from, encoding: "utf8" });
    return JSON.parse(output) as Times;
  });
  const median = (part: keyof Times): number => {
    const sorted = times.map((time) => time[part]).sort((one, other) => one - other);
    return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 10) / 10;
  };
  const figures = Object.fromEntries(
    (["import", "open", "run", "result", "cpu"] as const).map((part) => [part, median(part)]),
  );
  if (values.json) console.log(JSON.stringify(figures));
  else console.table([figures]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
