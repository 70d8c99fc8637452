import type { Entry } from "../api/history.ts";
import type { AnyWorkflow } from "../api/workflow.ts";
import { readHistoryFile } from "../client/history-file.ts";
import { entriesOfFile, type RecordedRun, recordedRun } from "../client/recorded-run.ts";
import { ConfigError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";
import type { RunEnd, RunOptions } from "../run/control.ts";
import type { History } from "../run/history.ts";
import { ListReplay } from "../run/list-replay.ts";
import { Run } from "../run/run.ts";
import { macrotaskTurns } from "../run/turns.ts";
import type { Codec } from "../values/codec-port.ts";
import { createSealer } from "../values/sealer.ts";
import { definitionOf, stepPolicyOf, type WorkflowDefinition } from "../workflow.ts";

/** `entries`: how many were delivered before the code was on its own. */
export type ReplayVerdict =
  | { readonly ok: true; readonly entries: number }
  | { readonly ok: false; readonly error: Error };

/**
 * Runs a workflow's code against what an instance has done, and no further: no body runs, nothing is written. `history` is the text of a
 * history file, or what `handle.history()` gives; of an instance with several runs the present one is replayed.
 *
 * @throws ConfigError: no such file, or it is of another workflow; UnreadableValueError: no codec for it
 */
export async function replayHistory(
  workflow: AnyWorkflow,
  history: AsyncIterable<Entry> | string,
  codecs: readonly Codec[] = [],
): Promise<ReplayVerdict> {
  const definition = definitionOf(workflow);
  const entries = typeof history === "string" ? entriesOfFile(history, createSealer(codecs)) : history;
  const recorded = await recordedRun(entries);
  if (recorded.workflow !== definition.name) {
    throw new ConfigError(
      `the history is of workflow ${JSON.stringify(recorded.workflow)}; it was given workflow ${JSON.stringify(definition.name)}`,
    );
  }
  return replayRun(definition, recorded);
}

/** The workflow and version that a history file is of. @throws ConfigError */
export function workflowOfHistory(text: string): { readonly name: string; readonly version: string | undefined } {
  const { workflow, version } = readHistoryFile(text).head;
  return { name: workflow, version };
}

function replayRun(definition: WorkflowDefinition, recorded: RecordedRun): Promise<ReplayVerdict> {
  return new Promise((resolve) => {
    const run: Run = new Run(
      optionsOf(definition, recorded, (entries) => {
        resolve({ ok: true, entries });
        // It is told in the middle of the change.
        queueMicrotask(() => run.stop({ is: "stopped", error: undefined }));
      }),
    );
    void run.start().then((end) => resolve(verdictOf(end, recorded)));
  });
}

/** Of a run that ended before it was live; otherwise the verdict is there already. */
function verdictOf(end: RunEnd, { rows }: RecordedRun): ReplayVerdict {
  if ("error" in end && end.error instanceof Error && end.is !== "threw") return { ok: false, error: end.error };
  return { ok: true, entries: rows.length };
}

function optionsOf(
  { body, name, version, signals, published, ...definition }: WorkflowDefinition,
  { instanceId, tenantId, run, startedAtMs, seed, input, inbox, rows }: RecordedRun,
  onLive: (entries: number) => void,
): RunOptions {
  const nothing = (): void => {};
  const never = new Promise<never>(nothing);
  return {
    facts: { workflow: name, version, instanceId, tenantId, run, startedAt: startedAtMs, seed, signals, published },
    body: body as RunOptions["body"],
    input,
    inbox,
    stepPolicy: stepPolicyOf({ body, name, version, signals, published, ...definition }),
    history: silentHistory(rows, never),
    clock: hurriedClock(startedAtMs),
    // Bodies queue and never enter.
    gate: { queue: nothing, leave: nothing },
    logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    drainMs: 0,
    readPayload: () => undefined,
    outside: { sendSignal: () => never, cancelInstance: () => never },
    listener: {
      wants: nothing,
      idle: nothing,
      busy: nothing,
      isDetailed: false,
      event: (event) => {
        if (event.type === "live") onLive(event.replayed);
      },
    },
    guard: false,
    strictTurns: false,
    makeTurns: macrotaskTurns,
  };
}

/** Gives what is recorded and keeps nothing. */
function silentHistory(rows: RecordedRun["rows"], never: Promise<never>): History {
  const nothing = (): void => {};
  return {
    // Without entries there is nothing to replay.
    replay: rows.length === 0 ? undefined : new ListReplay(rows, ({ text }) => text, 0),
    isSparse: false,
    save: nothing,
    send: nothing,
    find: () => never,
    retryOf: () => undefined,
    recordRetry: () => never,
    startChild: () => never,
    heartbeat: nothing,
  };
}

/** Code that awaits what is not durable gets a little real time, not half a minute. */
function hurriedClock(startMs: number): Clock {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    after: (delayMs, action) => {
      const dueMs = nowMs + delayMs;
      const timer = setTimeout(
        () => {
          nowMs = Math.max(nowMs, dueMs);
          action();
        },
        Math.min(delayMs, limits.replayGraceMs),
      );
      return () => clearTimeout(timer);
    },
  };
}
