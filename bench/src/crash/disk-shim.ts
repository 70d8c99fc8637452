import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "../child.ts";

const source = join(import.meta.dirname, "..", "..", "shim", "disk-shim.c");

/** What fails while a fault is on: see bench/shim/disk-shim.c. */
export type Fault = "sync" | "write" | "full" | "slow";

/** A disk of one process that can be made slow or bad. */
export interface DiskShim {
  /** For the process that is to have this disk. */
  readonly env: Readonly<Record<string, string>>;
  break(fault: Fault): void;
  mend(): void;
}

/** Builds the shim with the C compiler. `delayUs`: how much longer every fsync takes. */
export async function diskShim(folder: string, delayUs = 0): Promise<DiskShim> {
  const library = join(folder, "disk-shim.so");
  const faultFile = join(folder, "disk-fault");
  await runProgram("cc", ["-shared", "-fPIC", "-O2", "-o", library, source]);
  return {
    env: { LD_PRELOAD: library, DISK_SHIM_DELAY_US: `${delayUs}`, DISK_SHIM_FAULT: faultFile },
    break: (fault) => writeFileSync(faultFile, fault),
    mend: () => rmSync(faultFile, { force: true }),
  };
}
