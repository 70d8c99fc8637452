import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { median } from "./statistics.ts";

const blockBytes = 8192;
const fileBlocks = 512;
const flushes = 1000;

/** Median microseconds of one fdatasync after 8 KiB written into an existing file: what no durable commit can undercut. */
export function flushUs(folder: string): number {
  const file = join(folder, "flush");
  const descriptor = openSync(file, "wx");
  try {
    const block = Buffer.alloc(blockBytes, 1);
    for (let index = 0; index < fileBlocks; index++) writeSync(descriptor, block);
    fdatasyncSync(descriptor);
    return median(Array.from({ length: flushes }, (_, index) => oneFlushUs(descriptor, block, index % fileBlocks)));
  } finally {
    closeSync(descriptor);
    rmSync(file);
  }
}

function oneFlushUs(descriptor: number, block: Buffer, index: number): number {
  const begun = performance.now();
  writeSync(descriptor, block, 0, blockBytes, index * blockBytes);
  fdatasyncSync(descriptor);
  return (performance.now() - begun) * 1000;
}
