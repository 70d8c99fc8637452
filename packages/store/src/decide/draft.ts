import type { LifecycleEvent, LifecycleState } from "../lifecycle/table.ts";
import { isFinal, transition } from "../lifecycle/transition.ts";
import { limits } from "../limits.ts";
import type { Changes, NewEvent, NoticeKind, TakenSignal } from "./changes.ts";
import { type Cause, carryOut } from "./effects.ts";
import type { InstanceRow } from "./row.ts";
import { differs, showsDifferently } from "./row-difference.ts";

export type MutableChanges = { -readonly [Key in keyof Changes]: Changes[Key] };

/** What the lifecycle looks at. */
function stateOf(row: InstanceRow): LifecycleState {
  return {
    status: row.status,
    reason: row.reason,
    claimable: row.workflow !== null,
    pending: row.pendingSignal,
    recorded: row.pendingSignal !== null && row.pendingSignal === row.recordedSignal,
  };
}

/** Collects what one decision writes about one instance: on a copy of its row, so that a decision that is not written has changed nothing. */
export class Draft {
  readonly row: InstanceRow;
  readonly changes: MutableChanges;
  readonly #before: InstanceRow;
  readonly #events: NewEvent[] = [];
  readonly #notices = new Set<NoticeKind>();
  #hasNews = false;

  constructor(before: InstanceRow, atMs: number) {
    this.#before = before;
    this.row = { ...before };
    this.changes = { atMs };
  }

  /** Lets an event of the lifecycle happen. Answers whether it was accepted. */
  happen(event: LifecycleEvent, cause: Cause = {}): "accepted" | "refused" | "ignored" {
    const outcome = transition(stateOf(this.row), event);
    if (typeof outcome === "string") return outcome;
    carryOut(outcome, cause, this);
    return "accepted";
  }

  write(event: NewEvent): void {
    this.#events.push(event);
    this.tell("history");
  }

  /** Further changes beside the row. */
  add(more: Partial<Omit<Changes, "atMs" | "row" | "events" | "notices">>): void {
    Object.assign(this.changes, more);
    this.#hasNews = true;
  }

  /** New checkpoints, in this order. */
  save(entries: readonly { readonly checkpointId: string; readonly state: Uint8Array }[]): void {
    const { row } = this;
    const { atMs } = this.changes;
    this.add({ checkpoints: entries.map(({ checkpointId, state }) => ({ checkpointId, state })) });
    row.checkpointId = entries.at(-1)?.checkpointId ?? row.checkpointId;
    row.checkpointCount += entries.length;
    row.lastSeenAtMs = Math.max(row.lastSeenAtMs ?? atMs, atMs);
    this.tell("history");
  }

  /** Signals that are over. */
  take(signals: readonly TakenSignal[]): void {
    if (signals.length === 0) return;
    this.add({ signalsTaken: signals });
    this.row.queuedSignals -= signals.filter(({ queued }) => queued).length;
  }

  /** Appends to the queue of signals. */
  enqueue(signal: NonNullable<Changes["queuePut"]>): void {
    this.add({ queuePut: signal });
    this.row.queuedSignals += 1;
    this.arrive(signal.name);
  }

  /** A custom signal of this name is there: wakes an instance that waits for it. */
  arrive(name: string): void {
    this.tell("signal");
    this.tell("history");
    if (this.row.waitingFor.includes(name)) this.happen("signalArrived");
  }

  tell(kind: NoticeKind): void {
    this.#notices.add(kind);
  }

  /** The process has made a call: noted if the last note is old enough, so that calls that write nothing else seldom write. */
  touch(): void {
    const { atMs } = this.changes;
    const { lastSeenAtMs, status } = this.row;
    if (status === "running" && (lastSeenAtMs === null || atMs - lastSeenAtMs >= limits.touchEveryMs)) {
      this.row.lastSeenAtMs = atMs;
    }
  }

  /** The finished changes; undefined if there are none. */
  done(): Changes | undefined {
    const { changes, row } = this;
    const rowDiffers = changes.insert !== undefined || differs(this.#before, row);
    if (!rowDiffers && !this.#hasNews && this.#events.length === 0) return undefined;
    if (rowDiffers) {
      this.#noteDifference();
      changes.row = row;
    }
    if (this.#events.length > 0) changes.events = this.#events;
    if (this.#notices.size > 0) changes.notices = [...this.#notices];
    return changes;
  }

  #noteDifference(): void {
    const { row } = this;
    const before = this.#before;
    if (showsDifferently(before, row) || this.changes.published !== undefined) {
      row.changes += 1;
      this.tell(isFinal(row.status) ? "ended" : "status");
    }
    const isNew = this.changes.insert !== undefined;
    if (row.readyAtMs !== null && (isNew || row.readyAtMs !== before.readyAtMs)) this.tell("work");
    if (row.dueAtMs !== null && row.dueAtMs !== before.dueAtMs) this.tell("due");
    if (row.unsettled && !before.unsettled) this.tell("due");
    if (row.epoch !== before.epoch) this.tell("signal");
  }
}
