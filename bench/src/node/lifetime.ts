import { fstatSync } from "node:fs";

/** Calls `stop` at SIGTERM, at Ctrl-C, and when the pipe on stdin closes, because then the parent is gone. */
export function onEnd(stop: () => void): void {
  process.once("SIGTERM", stop).once("SIGINT", stop);
  if (isPipe(0)) process.stdin.on("end", stop).resume().unref();
}

/** A terminal or /dev/null on stdin says nothing about a parent. */
function isPipe(descriptor: number): boolean {
  const kind = fstatSync(descriptor);
  return kind.isFIFO() || kind.isSocket();
}
