import { readdirSync, readFileSync } from "node:fs";

const ticksPerSecond = 100;

/** User and system seconds of a process so far, its threads included. */
export function cpuSeconds(pid: number): number {
  const fields = stat(pid);
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** A process and all its descendants that live. */
export function familyOf(pid: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const parent = parentOf(Number(name));
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const family = (member: number): number[] => [member, ...(children.get(member) ?? []).flatMap(family)];
  return family(pid);
}

/** User and system seconds of a process and all its descendants, those included that have ended and were waited for. */
export function familyCpuSeconds(pid: number): number {
  const ticks = familyOf(pid).flatMap((member) => statIfThere(member).slice(11, 15));
  return ticks.reduce((total, count) => total + Number(count), 0) / ticksPerSecond;
}

function parentOf(pid: number): number | undefined {
  const parent = statIfThere(pid)[1];
  return parent === undefined ? undefined : Number(parent);
}

/** Empty when the process has ended meanwhile. */
function statIfThere(pid: number): readonly string[] {
  try {
    return stat(pid);
  } catch {
    return [];
  }
}

/** The fields of /proc/PID/stat from the third on: state, parent, … */
function stat(pid: number): readonly string[] {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name in parentheses may hold anything, so count from the last one on.
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(status.match(/^VmRSS:\s+(\d+) kB$/m)?.[1] ?? 0) * 1024;
}
