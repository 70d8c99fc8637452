import type { InstanceRow } from "./row.ts";

/** What is known of an instance before anything has happened to it. */
export interface Origin {
  readonly instanceId: string;
  readonly tenantId: string;
  /** 16 bytes. */
  readonly seed: Uint8Array;
  readonly createdAtMs: number;
  readonly workflow?: string | undefined;
  readonly version?: string | undefined;
  readonly timeoutMs?: number | undefined;
  readonly parent?:
    | { readonly instanceId: string; readonly resultSignal?: string; readonly detached: boolean }
    | undefined;
}

/** The row of an instance that nobody has started: pending, of epoch 0, claimable by nobody yet. */
export function newRow(origin: Origin): InstanceRow {
  return {
    instanceId: origin.instanceId,
    tenantId: origin.tenantId,
    status: "pending",
    reason: null,
    reasonText: null,
    exitCode: null,
    epoch: 0,
    seed: origin.seed,
    run: 1,
    lastMessage: 0,
    workflow: origin.workflow ?? null,
    version: origin.version ?? null,
    createdAtMs: origin.createdAtMs,
    firstStartedAtMs: null,
    startedAtMs: null,
    finishedAtMs: null,
    lastSeenAtMs: null,
    checkpointId: null,
    checkpointCount: 0,
    timeoutMs: origin.timeoutMs ?? null,
    usedMs: 0,
    readyAtMs: null,
    waitingFor: [],
    recordedSignal: null,
    dueAtMs: null,
    holder: null,
    claimSequence: null,
    parentId: origin.parent?.instanceId ?? null,
    resultSignal: origin.parent?.resultSignal ?? null,
    detached: origin.parent?.detached ?? false,
    childCount: 0,
    unsettled: false,
    queuedSignals: 0,
    changes: 0,
    pendingSignal: null,
    pauseAcknowledged: false,
  };
}
