import { NonDeterminismError } from "../errors.ts";
import type { EntryKind } from "./entries.ts";

/** Both sides of the place where code and history differ. The JSON of the `runtara_divergence` event. */
export interface DivergenceReport {
  readonly workflow: string;
  readonly instanceId: string;
  /** Counted from 1, in the order of delivery; `entries` is how many are known to be stored. */
  readonly entry: number;
  readonly entries: number;
  readonly history: {
    readonly checkpointId: string;
    readonly kind: EntryKind | "foreign";
    readonly name: string;
    readonly src?: string;
    readonly savedAt?: string;
  };
  /** What the code does there: a call that has no entry, or nothing more. */
  readonly code:
    | {
        readonly does: "calls";
        readonly checkpointId: string;
        readonly kind: EntryKind;
        readonly name: string;
        readonly src: string;
      }
    | { readonly does: "ended" }
    | { readonly does: "waits" };
  /** One more sentence, where the two sides alone do not tell. */
  readonly note?: string;
}

/** The error that stops the run, in the words of the report. */
export function divergenceError(report: DivergenceReport, cause?: unknown): NonDeterminismError {
  const { workflow, instanceId, entry, entries } = report;
  const sides = [historySide(report.history), codeSide(report.code)];
  const width = Math.max(...sides.map((side) => side[0].length));
  const lines = [
    `workflow ${JSON.stringify(workflow)}, instance ${instanceId}: code and history differ at entry ${entry} of ${Math.max(entry, entries)}.`,
    `  history: ${sides.map(([what]) => what.padEnd(width))[0]}  ${sides[0]?.[1] ?? ""}`.trimEnd(),
    `  code:    ${sides.map(([what]) => what.padEnd(width))[1]}  ${sides[1]?.[1] ?? ""}`.trimEnd(),
    ...(report.note === undefined ? [] : [`  ${report.note}`]),
    "  Bring the old call back, or guard the new one with patched(). Then resume the instance: handle.resume(), or",
    `  npx runtara resume ${instanceId}. New instances are not affected.`,
  ];
  return new NonDeterminismError(lines.join("\n"), report, cause === undefined ? undefined : { cause });
}

type Side = readonly [what: string, detail: string];

function historySide(history: DivergenceReport["history"]): Side {
  const { checkpointId, kind, src, savedAt } = history;
  const what = kind === "foreign" ? "a state that no workflow wrote" : `${kind} ${JSON.stringify(history.name)}`;
  const saved = savedAt === undefined ? "" : `, saved ${savedAt}`;
  return [what, `${src ? `${src}   ` : ""}checkpoint ${checkpointId}${saved}`];
}

function codeSide(code: DivergenceReport["code"]): Side {
  if (code.does === "ended") return ["the function ended", "(nothing was executed)"];
  if (code.does === "waits") return ["no durable call is waiting for it", "(nothing was executed)"];
  return [`${code.kind} ${JSON.stringify(code.name)}`, `${code.src ? `${code.src}   ` : ""}(nothing was executed)`];
}
