import type { ClaimWorkResult, InstanceStatus, WorkflowOffer } from "@runtara/store";

/** What starts an instance, or attaches to the one that is there already. */
export interface StartRequest {
  readonly instanceId: string;
  readonly tenantId: string;
  /** Absent = no worker can claim it; somebody launches it. */
  readonly workflow?: string | undefined;
  readonly version?: string | undefined;
  readonly input?: Uint8Array | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** Not before this time. */
  readonly startAtMs?: number | undefined;
  /** Running time after which it fails. */
  readonly timeoutMs?: number | undefined;
  readonly parent?: StartingParent | undefined;
}

/** The running instance that starts a child. */
export interface StartingParent {
  readonly instanceId: string;
  readonly epoch: number;
  /** Its end is sent to the parent under this name. Absent = not sent. */
  readonly resultSignal?: string | undefined;
  /** It goes on when the parent ends. */
  readonly detached: boolean;
}

export interface StartResponse {
  /** False: it was there already, with the same tenant, workflow, version and input. */
  readonly created: boolean;
  readonly status: InstanceStatus;
}

export interface ClaimRequest {
  readonly workerId: string;
  readonly tenantId: string;
  readonly offers: readonly WorkflowOffer[];
  /** Instances that the worker can take now. */
  readonly capacity: number;
  /** 0 = `limits.leaseMs`. */
  readonly leaseMs: number;
  /** 0 = `limits.pollWaitMs`. */
  readonly waitMs: number;
  /** The sequence of the last answer with work that the worker has got; 0 before the first. */
  readonly received: number;
}

/** Without work: the time was up, a later claim has taken over, or the server drains; the sequence is then the one received. */
export type ClaimResponse = Pick<ClaimWorkResult, "sequence" | "work" | "leaseUntilMs">;

export interface RenewRequest {
  readonly workerId: string;
  /** 0 = `limits.leaseMs`. */
  readonly leaseMs: number;
}

export interface RenewResponse {
  readonly leaseUntilMs: number;
  /** The clock by which the lease is measured. */
  readonly serverTimeMs: number;
  /** Instances that were the worker's and are not any more; named until it releases them. */
  readonly lost: readonly string[];
}

export interface ReleaseRequest {
  readonly workerId: string;
  readonly work: readonly ReleasedWork[];
}

/** An instance that the worker runs no longer. */
export interface ReleasedWork {
  readonly instanceId: string;
  readonly epoch: number;
  /** It is unfinished, and the next worker is to have it. */
  readonly handBack: boolean;
  /** After a hand-back: not before this much time has passed. */
  readonly delayMs: number;
  /** Why, for the history; empty = nothing is noted. */
  readonly reason: string;
}
