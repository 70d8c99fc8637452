import { rm, writeFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import type { Strike } from "./campaign.ts";
import type { DiskShim, Fault } from "./disk-shim.ts";
import type { Restartable } from "./restartable.ts";

const faultMs = 1_000;

/** SIGKILL, and a new process at once. The cause has gone when the old one has: starting counts as resuming. */
export function killed(server: Restartable, what: string): Strike {
  return {
    name: `${what} killed`,
    async strike() {
      await server.kill();
      // A new process that does not come up shows as a call that is never answered.
      void server.restart().catch((error: Error) => process.stderr.write(`${error.message}\n`));
    },
  };
}

/** The disk fails for a while. */
export function faulty(shim: DiskShim, fault: Fault): Strike {
  const names: Record<Fault, string> = { sync: "fsync fails", write: "writing fails", full: "disk full" };
  return {
    name: names[fault],
    async strike() {
      shim.break(fault);
      await wait(faultMs);
      shim.mend();
    },
  };
}

/** The database server ends at once, as in a crash, and starts again. The cause has gone when it takes connections. */
export function restarted(server: { restart(mode: "immediate"): Promise<void> }): Strike {
  return { name: "PostgreSQL restarted", strike: () => server.restart("immediate") };
}

/** The file system is really full, until a file that nobody needs is removed. */
export function filled(ballast: string, isFull: () => Promise<boolean>): Strike {
  return {
    name: "file system full",
    async strike() {
      while (!(await isFull())) await wait(50);
      await wait(faultMs);
      await rm(ballast);
    },
  };
}

/** Room that a full file system gets back when it is removed. */
export async function makeBallast(path: string, bytes: number): Promise<void> {
  await writeFile(path, Buffer.alloc(bytes, 1));
}
