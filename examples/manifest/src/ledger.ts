// The ledger: a line per start and end of a batch, written from inside the steps. What it says is independent of the durable engine,
// so it can testify about it.
import { appendFileSync } from "node:fs";

export interface LedgerLine {
  event: "start" | "end";
  batch: number;
  pid: number;
  /** CLOCK_MONOTONIC in microseconds: comparable between processes of one machine. */
  atUs: number;
}

/** A process of the workflow that was killed. */
export interface Killed {
  pid: number;
}

export interface LedgerReport {
  /** Executions in all, repeats included. */
  executions: number;
  repeats: { batch: number; pids: number[] }[];
  /** One sentence per broken promise; empty when all held. */
  violations: string[];
}

export function note(file: string, event: LedgerLine["event"], batch: number): void {
  // One short write with O_APPEND: whole lines also when several processes write or one is killed.
  appendFileSync(file, `${event} ${batch} ${process.pid} ${process.hrtime.bigint() / 1000n}\n`);
}

export function parseLedger(text: string): LedgerLine[] {
  const lines = text.split("\n");
  lines.pop();
  return lines.map((line, index) => {
    const match = /^(start|end) (\d+) (\d+) (\d+)$/.exec(line);
    if (!match) throw new Error(`line ${index + 1} of the ledger is not one of ours: ${JSON.stringify(line)}`);
    return {
      event: match[1] as LedgerLine["event"],
      batch: Number(match[2]),
      pid: Number(match[3]),
      atUs: Number(match[4]),
    };
  });
}

/** Batches whose end is in the ledger. */
export function finished(lines: readonly LedgerLine[]): Set<number> {
  return new Set(lines.filter((line) => line.event === "end").map((line) => line.batch));
}

/**
 * Checks the promise "only work in flight at a kill is repeated".
 *
 * A round of `lanes` batches starts only after the round before was acknowledged as a whole. So a batch may start again only if the process
 * that ran it was killed, and only if it belongs to the last round which that process started: anything older had been acknowledged.
 */
export function checkLedger(
  lines: readonly LedgerLine[],
  batches: number,
  lanes: number,
  killed: readonly Killed[],
): LedgerReport {
  const starts = lines.filter((line) => line.event === "start");
  const killedPids = new Set(killed.map(({ pid }) => pid));
  const lastRound = new Map<number, number>();
  for (const { pid, batch } of starts) lastRound.set(pid, Math.max(lastRound.get(pid) ?? 0, roundOf(batch, lanes)));

  const violations: string[] = [];
  const repeats: LedgerReport["repeats"] = [];
  const done = finished(lines);
  for (let batch = 0; batch < batches; batch++) {
    const pids = starts.filter((line) => line.batch === batch).map(({ pid }) => pid);
    if (!done.has(batch)) violations.push(`batch ${batch} never finished`);
    if (pids.length > 1) repeats.push({ batch, pids });
    for (const pid of pids.slice(0, -1)) {
      if (!killedPids.has(pid))
        violations.push(`batch ${batch} ran again although process ${pid}, which had run it, was not killed`);
      else if (lastRound.get(pid) !== roundOf(batch, lanes))
        violations.push(
          `batch ${batch} ran again although process ${pid} had gone on to round ${lastRound.get(pid)}: it was acknowledged, not in flight`,
        );
    }
  }
  for (const { batch } of starts)
    if (batch >= batches) violations.push(`batch ${batch} ran, but there are only ${batches}`);
  return { executions: starts.length, repeats, violations };
}

const roundOf = (batch: number, lanes: number) => Math.floor(batch / lanes);
