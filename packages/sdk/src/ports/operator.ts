import type { Status } from "../api/client.ts";

export interface StartRequest {
  readonly instanceId: string;
  readonly workflow: string;
  readonly version?: string | undefined;
  readonly input?: Uint8Array | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly startAtMs?: number | undefined;
  readonly timeoutMs?: number | undefined;
}

export interface Details {
  readonly instanceId: string;
  readonly status: Status;
  readonly reason: string | null;
  readonly workflow: string | null;
  readonly version: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
  readonly startedAtMs: number | null;
  readonly finishedAtMs: number | null;
  readonly readyAtMs: number | null;
  readonly waitingFor: readonly string[];
  readonly run: number;
}

export interface End {
  /** Not final: the time was up. */
  readonly status: Status;
  readonly reason: string | null;
  /** An operator's words to it, for example those of a kill. */
  readonly reasonText?: string | null;
  readonly output: Uint8Array | null;
  readonly error: string | null;
  readonly failure: Uint8Array | null;
}

/** Enough to replay an instance elsewhere. */
export interface StartRecord {
  readonly tenantId: string;
  readonly input: Uint8Array | null;
  readonly seed: Uint8Array;
  readonly firstStartedAtMs: number;
}

/** As the store's HistoryEntry. */
export type HistoryItem = { readonly atMs: number } & (
  | {
      readonly kind: "checkpoint";
      readonly checkpointId: string;
      readonly state: Uint8Array | undefined;
      readonly stateBytes: number;
    }
  | {
      readonly kind: "event";
      readonly type: string;
      readonly subtype: string | null;
      readonly checkpointId: string | null;
      readonly payload: Uint8Array | null | undefined;
    }
  | {
      readonly kind: "retry";
      readonly checkpointId: string;
      readonly attempt: number;
      readonly nextAtMs: number | null;
      readonly error: string | null;
    }
  | {
      readonly kind: "signal";
      readonly type: string | null;
      readonly name: string | null;
      readonly payload: Uint8Array | null | undefined;
      readonly delivered: boolean;
    }
);

export interface PublishedValue {
  readonly key: string;
  readonly value: Uint8Array;
  readonly updatedAtMs: number;
}

export type WatchedChange = { readonly atMs: number } & (
  | { readonly kind: "history"; readonly entry: HistoryItem }
  | { readonly kind: "published"; readonly value: PublishedValue }
  | { readonly kind: "details"; readonly details: Details }
);

export interface ScheduleRecord {
  readonly scheduleId: string;
  readonly workflow: string;
  readonly input: Uint8Array | null;
  readonly cron: string;
  readonly timezone: string;
  readonly overlap: "skip" | "queue" | "all";
  readonly catchUp: "none" | "last" | "all";
  readonly inactive: boolean;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly nextCursor: string | undefined;
}

/** Of one tenant: instances of others do not exist. Every call may be repeated; long polls take a signal and resolve with what was seen last. */
export interface Operator {
  start(request: StartRequest): Promise<{ readonly created: boolean; readonly status: Status }>;
  waitResult(instanceId: string, waitMs: number, signal: AbortSignal): Promise<End>;
  read(instanceId: string): Promise<Details | undefined>;
  readStart(instanceId: string): Promise<StartRecord | undefined>;
  order(instanceId: string, order: "cancel" | "kill" | "pause" | "resume", reason?: string): Promise<void>;
  /** Queued, counted once per `messageId`. */
  sendSignal(request: {
    readonly instanceId: string;
    readonly name: string;
    readonly payload: Uint8Array;
    readonly messageId: string;
  }): Promise<void>;
  published(instanceId: string, key: string): Promise<Uint8Array | undefined>;
  query(request: {
    readonly workflow?: string;
    readonly statuses: readonly Status[];
    readonly createdAfterMs?: number;
    readonly createdBeforeMs?: number;
    readonly tags: Readonly<Record<string, string>>;
    readonly cursor?: string;
  }): Promise<Page<Details>>;
  history(instanceId: string, cursor: string | undefined): Promise<Page<HistoryItem>>;
  loadState(instanceId: string, checkpointId: string): Promise<Uint8Array | undefined>;
  watch(
    instanceId: string,
    cursor: string | undefined,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<{ readonly changes: readonly WatchedChange[]; readonly nextCursor: string; readonly ended: boolean }>;
  putSchedule(schedule: ScheduleRecord): Promise<void>;
  listSchedules(cursor: string | undefined): Promise<Page<ScheduleRecord>>;
  deleteSchedule(scheduleId: string): Promise<void>;
}
