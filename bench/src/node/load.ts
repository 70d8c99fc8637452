// `node load.ts quic|http2|grpc --addr ADDR --in-flight N --seconds S --warmup S`: load from one Node process. Prints one line of
// JSON with the same fields as the Rust load generator's.
import { parseArgs } from "node:util";
import type { Caller } from "./caller.ts";
import { LoadTally } from "./tally.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    addr: { type: "string", default: "127.0.0.1:8001" },
    "in-flight": { type: "string", default: "64" },
    seconds: { type: "string", default: "3" },
    warmup: { type: "string", default: "1" },
  },
});
const caller = await connect(positionals[0], values.addr);
const tally = new LoadTally(Number(values.warmup) * 1000, Number(values.seconds) * 1000);
await Promise.all(Array.from({ length: Number(values["in-flight"]) }, () => callInALoop(caller, tally)));
process.stdout.write(`${JSON.stringify(tally.report())}\n`);
await caller.close();

async function connect(kind: string | undefined, address: string): Promise<Caller> {
  if (kind === "grpc") return (await import("./grpc-caller.ts")).grpcCaller(address);
  if (kind === "quic" || kind === "http2") return (await import("./runtara-caller.ts")).runtaraCaller(address, kind);
  process.stderr.write("usage: load.ts quic|http2|grpc --addr ADDR --in-flight N --seconds S --warmup S\n");
  process.exit(1);
}

async function callInALoop(caller: Caller, tally: LoadTally): Promise<void> {
  for (let startedAtMs = performance.now(); !tally.isOver(startedAtMs); startedAtMs = performance.now()) {
    try {
      await caller.call();
      tally.answered(startedAtMs, performance.now());
    } catch (error) {
      tally.failed(error instanceof Error ? error.message : String(error));
    }
  }
}
