import type { InstanceStatus, SignalType, StatusReason } from "../model.ts";

/** The small columns of an instance: what decisions look at and change. A copy; engines write back what differs. */
export interface InstanceRow {
  readonly instanceId: string;
  readonly tenantId: string;
  status: InstanceStatus;
  reason: StatusReason | null;
  reasonText: string | null;
  exitCode: number | null;
  epoch: number;
  /** 16 bytes; null only in adopted rows that have not registered since. */
  seed: Uint8Array | null;
  run: number;
  /** Highest number of a message of this run. */
  lastMessage: number;
  readonly workflow: string | null;
  readonly version: string | null;
  readonly createdAtMs: number;
  firstStartedAtMs: number | null;
  startedAtMs: number | null;
  finishedAtMs: number | null;
  lastSeenAtMs: number | null;
  checkpointId: string | null;
  checkpointCount: number;
  readonly timeoutMs: number | null;
  /** Running time of earlier lives. */
  usedMs: number;
  readyAtMs: number | null;
  waitingFor: readonly string[];
  /** The pending signal that the history has. */
  recordedSignal: SignalType | null;
  dueAtMs: number | null;
  holder: string | null;
  claimSequence: number | null;
  readonly parentId: string | null;
  readonly resultSignal: string | null;
  readonly detached: boolean;
  /** Attached children that were started; settled with the end. */
  childCount: number;
  unsettled: boolean;
  queuedSignals: number;
  /** Grows with each change that InstanceDetails shows. */
  changes: number;
  /** Of pending_signals, unacknowledged; read under the same lock, never remembered where others may write it. */
  pendingSignal: SignalType | null;
  /** The last acknowledged signal of this registration is a pause. */
  pauseAcknowledged: boolean;
}
