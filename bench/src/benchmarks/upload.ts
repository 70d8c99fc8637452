import { join } from "node:path";
import { runProgram, type Server } from "../child.ts";
import { startUpload } from "../peers.ts";
import { residentBytes } from "../process-stats.ts";
import { median } from "../statistics.ts";
import type { Benchmark, Figure } from "./benchmark.ts";

const bytes = 2 ** 30;
/** Memory is looked at from here on, when buffers have their size. */
const settledShare = 0.25;
const lookEveryMs = 25;
const mebibyte = 2 ** 20;

interface Upload {
  readonly megabytesPerSecond: number;
  readonly clientGrowthMiB: number;
  readonly serverGrowthMiB: number;
}

/** One stream of 1 GiB from memory to nowhere, in pieces of 64 KiB, client and server a process each. */
export const upload: Benchmark = {
  name: "upload",
  about: "1 GiB streamed as an image upload: our client and server in Node, the original's in Rust",
  async run(ground, plan, progress) {
    await using ours = await startUpload(ground, "ours");
    await using original = await startUpload(ground, "original");
    const client = join(import.meta.dirname, "..", "node", "upload-client.ts");
    const runs: Record<string, () => Promise<Upload>> = {
      quic: () => send(ours, process.execPath, [client, "quic"]),
      original: () => send(original, join(ground.binFolder, "upload"), ["send"]),
      http2: () => send(ours, process.execPath, [client, "http2"]),
    };
    const results: Record<string, Upload[]> = {};
    for (let round = 1; round <= plan.rounds; round++) {
      for (const [name, run] of Object.entries(runs)) {
        const result = await run();
        results[name] = [...(results[name] ?? []), result];
        progress(`upload, round ${round}/${plan.rounds}, ${name}: ${result.megabytesPerSecond.toFixed(0)} MB/s`);
      }
    }
    const middle = (name: string, of: keyof Upload): number => median((results[name] ?? []).map((run) => run[of]));
    const figure = (name: string, transport: string, of: keyof Upload, unit: string): Figure => {
      return { benchmark: "upload", name, ours: middle(transport, of), original: middle("original", of), unit };
    };
    return {
      comparisons: [],
      figures: [
        figure("1 GiB over QUIC", "quic", "megabytesPerSecond", "MB/s"),
        figure("1 GiB over HTTP/2", "http2", "megabytesPerSecond", "MB/s"),
        figure("growth of the server over QUIC", "quic", "serverGrowthMiB", "MiB"),
        figure("growth of the client over QUIC", "quic", "clientGrowthMiB", "MiB"),
      ],
    };
  },
};

/** Growth: the most that is resident later, less what was when a quarter of the first run's time had passed. */
async function send(server: Server, file: string, args: readonly string[]): Promise<Upload> {
  const resident: number[] = [];
  const watch = setInterval(() => resident.push(residentBytes(server.pid)), lookEveryMs);
  const printed = await runProgram(file, [...args, "--addr", server.address, "--bytes", `${bytes}`]).finally(() =>
    clearInterval(watch),
  );
  const report = JSON.parse(printed) as { seconds: number; growthBytes?: number };
  const settled = resident.slice(Math.floor(resident.length * settledShare));
  const first = settled[0] ?? 0;
  return {
    megabytesPerSecond: bytes / 1e6 / report.seconds,
    clientGrowthMiB: (report.growthBytes ?? 0) / mebibyte,
    serverGrowthMiB: (Math.max(first, ...settled) - first) / mebibyte,
  };
}
