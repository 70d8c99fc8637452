import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { cpus, release, totalmem } from "node:os";
import { flushUs } from "./disk.ts";

/** What the figures were taken on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly rustc: string;
  readonly fileSystem: string;
  /** Median of a flush of 8 KiB alone. */
  readonly flushUs: number;
  readonly loadAverage: string;
}

const fileSystems: Readonly<Record<number, string>> = {
  61267: "ext4",
  2435016766: "btrfs",
  1481003842: "xfs",
  16914836: "tmpfs, where fsync costs nothing",
  2035054128: "overlayfs",
};

export async function describeMachine(dataFolder: string): Promise<Machine> {
  const { type } = await statfs(dataFolder);
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    rustc: execFileSync("rustc", ["--version"], { encoding: "utf8" }).trim(),
    fileSystem: fileSystems[type] ?? `type 0x${type.toString(16)}`,
    flushUs: Math.round(flushUs(dataFolder)),
    loadAverage: readFileSync("/proc/loadavg", "utf8").split(" ").slice(0, 3).join(" "),
  };
}

export function machineLine(machine: Machine): string {
  const { cpu, cores, memoryGiB, kernel, node, rustc, fileSystem, flushUs, loadAverage } = machine;
  return `${cores} × ${cpu}, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}, ${rustc}, databases on ${fileSystem} (fdatasync ${flushUs} µs), load before ${loadAverage}`;
}
