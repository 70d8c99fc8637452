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

const faultNames: Record<Fault, string> = {
  slow: "fsync takes 250 ms",
  sync: "fsync fails",
  write: "writing fails",
  full: "disk full",
};

/** The disk fails for a while. Nothing may be acknowledged meanwhile, unless it is only slow. */
export function faulty(shim: DiskShim, fault: Fault): Strike {
  return {
    name: faultNames[fault],
    async strike(acknowledged) {
      shim.break(fault);
      try {
        await wait(faultMs / 2);
        const before = acknowledged();
        await wait(faultMs / 2);
        const some = acknowledged() - before;
        if (some > 0 !== (fault === "slow"))
          throw new Error(`${faultNames[fault]}: ${some} calls were acknowledged meanwhile`);
      } finally {
        shim.mend();
      }
    },
  };
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
