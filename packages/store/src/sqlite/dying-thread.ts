/** The thread's program for a test: ends without a word at its first operations, and is the real one from the second start on. */
import { existsSync, writeFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

const mark = `${(workerData as { readonly path: string }).path}.died`;
if (existsSync(mark)) await import("./thread.ts");
else {
  parentPort?.on("message", () => {
    writeFileSync(mark, "");
    process.exit(1);
  });
}
