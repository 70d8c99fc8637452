import type { LifecycleEffect, Move } from "../lifecycle/table.ts";
import type { InstanceStatus, SignalType } from "../model.ts";
import type { Draft } from "./draft.ts";
import { dueAtMs } from "./due-time.ts";

/** What comes with an event and is needed by its effects. */
export interface Cause {
  /** Of a registration or claim. */
  readonly start?: {
    readonly holder: string | null;
    readonly claimSequence: number | null;
    readonly checkpointId: string | null;
    readonly seed: Uint8Array | null;
    /** Silence after which it counts as lost; 0 = never. */
    readonly staleAfterMs: number;
  };
  /** The holder itself does it, so it need not be told that the instance is no longer its own. */
  readonly byHolder?: boolean;
  /** Until it is ready. */
  readonly delayMs?: number;
  /** What it waits for. */
  readonly arm?: {
    readonly readyAtMs: number | null;
    readonly names: readonly string[];
    readonly recordedSignal: SignalType | null;
  };
  readonly signal?: { readonly type: SignalType; readonly payload: Uint8Array | null };
  /** Words kept with the new status. */
  readonly text?: string | null;
  /** Of the event that the server writes. */
  readonly notePayload?: Uint8Array | null;
}

/** Puts a move of the lifecycle into a draft. */
export function carryOut(move: Move, cause: Cause, draft: Draft): void {
  const { row } = draft;
  const { holder, status } = row;
  if (move.to !== status || move.reason !== row.reason) row.reasonText = cause.text ?? null;
  row.status = move.to;
  row.reason = move.reason;
  for (const effect of move.effects) effects[effect](draft, cause, status);
  if (row.reason !== "waiting" && row.waitingFor.length > 0) row.waitingFor = [];
  if (holder !== null && row.holder !== holder && cause.byHolder !== true) draft.add({ lostBy: holder });
}

/** `from`: the status as it was. */
type CarryOut = (draft: Draft, cause: Cause, from: InstanceStatus) => void;

const effects: Readonly<Record<LifecycleEffect, CarryOut>> = {
  begin,
  letGo,
  end,
  acknowledge,
  slot,
  ready,
  arm,
  fence,
  note,
};

function begin(draft: Draft, { start }: Cause): void {
  if (start === undefined) throw new TypeError("an event that begins a life came without its circumstances");
  const { row } = draft;
  const { atMs } = draft.changes;
  row.epoch += 1;
  row.startedAtMs = atMs;
  row.firstStartedAtMs ??= atMs;
  row.lastSeenAtMs = Math.max(row.lastSeenAtMs ?? atMs, atMs);
  row.finishedAtMs = null;
  row.exitCode = null;
  row.reasonText = null;
  row.readyAtMs = null;
  row.recordedSignal = null;
  row.pauseAcknowledged = false;
  row.holder = start.holder;
  row.claimSequence = start.claimSequence;
  row.seed ??= start.seed;
  row.dueAtMs = dueAtMs(row, start.staleAfterMs);
  draft.add({ output: null, error: null, failure: null, clearSleepUntil: true });
  draft.write({
    type: "started",
    subtype: null,
    checkpointId: start.checkpointId,
    payload: null,
    createdAtMs: atMs,
    receivedAtMs: atMs,
  });
}

function letGo({ row, changes }: Draft, _: Cause, from: InstanceStatus): void {
  const { atMs } = changes;
  if (from === "running" && row.startedAtMs !== null) row.usedMs += Math.max(0, atMs - row.startedAtMs);
  row.holder = null;
  row.claimSequence = null;
  row.readyAtMs = null;
  row.dueAtMs = null;
}

function end(draft: Draft): void {
  const { row } = draft;
  row.finishedAtMs = draft.changes.atMs;
  row.unsettled = (row.parentId !== null && row.resultSignal !== null) || row.childCount > 0;
  draft.add({ sleepsForgotten: true });
}

function acknowledge(draft: Draft): void {
  const { row } = draft;
  // A pause counts for the present registration only: it decides what a plain suspension means.
  row.pauseAcknowledged = row.pendingSignal === "pause" && row.startedAtMs !== null;
  row.pendingSignal = null;
  row.recordedSignal = null;
  draft.add({ pending: "acknowledged" });
}

function slot(draft: Draft, { signal }: Cause): void {
  if (signal === undefined) throw new TypeError("a request came without its signal");
  const { row } = draft;
  row.pendingSignal = signal.type;
  row.pauseAcknowledged = false;
  row.recordedSignal = null;
  draft.add({ pending: signal });
  draft.tell("signal");
  draft.tell("history");
}

function arm({ row }: Draft, { arm: target }: Cause): void {
  if (target === undefined) throw new TypeError("a suspension came without what it waits for");
  row.readyAtMs = target.readyAtMs;
  row.waitingFor = target.names;
  row.recordedSignal = target.recordedSignal;
}

/** Who is ready already keeps its place in the queue. */
function ready({ row, changes }: Draft, { delayMs = 0 }: Cause): void {
  const atMs = changes.atMs + delayMs;
  row.readyAtMs = Math.min(row.readyAtMs ?? atMs, atMs);
}

function fence({ row }: Draft): void {
  row.epoch += 1;
}

/** The original knows no event type for cancelled ends. */
function note(draft: Draft, { notePayload }: Cause): void {
  const { row } = draft;
  const { atMs } = draft.changes;
  draft.write({
    type: row.status === "failed" || row.status === "suspended" ? row.status : "custom",
    subtype: row.status === "cancelled" ? "cancelled" : row.reason,
    checkpointId: null,
    payload: notePayload ?? null,
    createdAtMs: atMs,
    receivedAtMs: atMs,
  });
}
