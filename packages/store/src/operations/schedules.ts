import type { BadCursor } from "./refusals.ts";

/** Starts a workflow again and again, each time under an id that is made of its planned time. The store keeps it and knows nothing of cron. */
export interface StoredSchedule {
  readonly tenantId: string;
  readonly scheduleId: string;
  readonly workflow: string;
  readonly input: Uint8Array | null;
  readonly cron: string;
  readonly timezone: string;
  readonly overlap: "skip" | "queue" | "all";
  readonly catchUp: "none" | "last" | "all";
  readonly inactive: boolean;
  /** When it fires next; null = never again, or inactive. */
  readonly nextFireMs: number | null;
  /** The instance that it started last. */
  readonly lastInstanceId: string | null;
  /** Grows with each replacement, also over a deletion as long as the clock goes on. */
  readonly revision: number;
}

/**
 * Inserts or replaces. One whose workflow, input, texts and settings are equal stays as it is, `nextFireMs` included: `unchanged`. Lease and
 * lastInstanceId stay. Told as a notice `schedule`.
 */
export interface PutSchedule {
  readonly kind: "putSchedule";
  readonly schedule: Omit<StoredSchedule, "lastInstanceId" | "revision">;
  readonly nowMs: number;
}
export interface PutScheduleResult {
  readonly outcome: "created" | "replaced" | "unchanged";
  /** As stored now. */
  readonly nextFireMs: number | null;
}

/** What it has started goes on. */
export interface DeleteSchedule {
  readonly kind: "deleteSchedule";
  readonly tenantId: string;
  readonly scheduleId: string;
}
export interface DeleteScheduleResult {
  readonly outcome: "deleted" | "absent";
}

/** In the order of their ids, byte by byte. */
export interface ListSchedules {
  readonly kind: "listSchedules";
  readonly tenantId: string;
  readonly limit: number;
  readonly cursor?: string;
}
export type ListSchedulesResult =
  | {
      readonly outcome: "page";
      readonly schedules: readonly StoredSchedule[];
      /** Undefined = that was the last page. */
      readonly nextCursor: string | undefined;
    }
  | BadCursor;

/**
 * Takes at most `limit` schedules whose time has come and whose lease is over, earliest first; theirs becomes nowMs + leaseMs. Of several
 * processes each gets others.
 */
export interface ClaimSchedules {
  readonly kind: "claimSchedules";
  readonly nowMs: number;
  readonly leaseMs: number;
  readonly limit: number;
}
/** `attendedUntilMs`: its lease before: up to then somebody had it in hand. Null = it has been moved since, without one. */
export type ClaimedSchedule = StoredSchedule & { readonly attendedUntilMs: number | null };
export interface ClaimSchedulesResult {
  readonly outcome: "claimed";
  readonly schedules: readonly ClaimedSchedule[];
  /** When to ask again, at the latest: the next time, or the end of a lease, also of those that this claim has given. Undefined = not at all. */
  readonly nextMs: number | undefined;
}

/**
 * To be called after its instances have been started, idempotently by their ids, so that a crash between repeats nothing: the next time; the
 * lease is over. `changed`: it was replaced or deleted, or another process has moved it on, and nothing is written. Told as a notice `schedule`.
 */
export interface MoveSchedule {
  readonly kind: "moveSchedule";
  readonly tenantId: string;
  readonly scheduleId: string;
  readonly revision: number;
  /** Not earlier than the stored one, else `changed`. */
  readonly nextFireMs: number | null;
  /** Absent = as stored. */
  readonly lastInstanceId?: string;
  /** Not before this time is it claimed again although it is due. */
  readonly leaseUntilMs?: number;
}
export interface MoveScheduleResult {
  readonly outcome: "moved" | "changed";
}
