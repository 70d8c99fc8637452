import { mkdir, rmdir, statfs } from "node:fs/promises";
import { runProgram } from "../child.ts";

/** A small file system in memory. */
export interface Tmpfs extends AsyncDisposable {
  readonly folder: string;
  /** Bytes that are left. */
  freeBytes(): Promise<number>;
}

/** Mounts one, which only root may; undefined where it may not be. */
export async function mountTmpfs(folder: string, bytes: number): Promise<Tmpfs | undefined> {
  await mkdir(folder);
  try {
    await runProgram("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", folder]);
  } catch {
    await rmdir(folder);
    return undefined;
  }
  return {
    folder,
    async freeBytes() {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    },
    async [Symbol.asyncDispose]() {
      await runProgram("umount", ["--lazy", folder]);
      await rmdir(folder);
    },
  };
}
