import type { StartFacts } from "../model.ts";

// The work queue. A worker has one lease for all that it holds, so a renewal is one row however many instances it runs.

/** A workflow that the worker has loaded. It also takes instances that are bound to no version. */
export interface WorkflowOffer {
  readonly name: string;
  /** Its own version and older ones that it may go on with. */
  readonly versions: readonly string[];
}

/**
 * Takes at most `capacity` instances of the tenant and the offers that are claimable: pending or suspended with a ready time not after nowMs,
 * earliest first (of equal times by the bytes of their ids), then running ones whose holder's lease has ended. Claiming is registering (see RegisterInstance) with this worker as
 * holder; the worker's lease becomes nowMs + leaseMs in the same transaction (it never shrinks). Rows that another claim works on are
 * skipped, so an instance goes to one claimer only. An expired holder whose renewal comes first keeps its work.
 *
 * `received` is the sequence of the last answer that this worker has got, 0 before the first. What later answers brought it is still its own
 * and is given again, with the same epochs and nothing else beside it, whatever the capacity: a lost answer loses nothing, and what is
 * unconfirmed never grows; such an answer has the worker's last sequence and begins nothing. An answer of new work has the next sequence, one
 * without work the last.
 *
 * An answer of new work ends after `bytesMax` of inputs, and has at least one instance if there is any.
 *
 * Whoever waits for work of these names is told (notice `work`) of the end of the lease, at which it may be claimed again.
 *
 * `runningMax` > 0: no more than this many instances are running on the whole database after it, exactly, also across processes.
 */
export interface ClaimWork {
  readonly kind: "claimWork";
  readonly workerId: string;
  readonly tenantId: string;
  readonly offers: readonly WorkflowOffer[];
  readonly capacity: number;
  readonly received: number;
  readonly leaseMs: number;
  readonly runningMax: number;
  readonly bytesMax: number;
  readonly nowMs: number;
}
export interface ClaimWorkResult {
  readonly outcome: "claimed";
  readonly sequence: number;
  readonly work: readonly { readonly instanceId: string; readonly tenantId: string; readonly facts: StartFacts }[];
  readonly leaseUntilMs: number;
  /** The next time at which something of these offers becomes claimable without anybody's doing; undefined = none known. */
  readonly nextReadyAtMs: number | undefined;
}

/**
 * The worker's lease becomes nowMs + leaseMs; it never shrinks. An unknown worker gets a lease, too. `lost`: instances that were this worker's
 * and that another registration, a kill, a time-out or the end of its lease has taken; named until it releases or claims them.
 */
export interface RenewLease {
  readonly kind: "renewLease";
  readonly workerId: string;
  readonly leaseMs: number;
  readonly nowMs: number;
}
export interface RenewLeaseResult {
  readonly outcome: "renewed";
  readonly leaseUntilMs: number;
  readonly lost: readonly string[];
}

/**
 * The worker runs these no longer. For each, if it is the holder and `epoch` the present one: running and `handBack`, or running though the
 * worker has nothing to say about it → suspended as handedBack, claimable after `delayMs` (a pending cancel waits for the next worker, whose
 * compensations it needs); any other status: holder gone, nothing else. Else only its place among `lost` is forgotten. `reason` not empty: noted as event `released`.
 */
export interface ReleaseWork {
  readonly kind: "releaseWork";
  readonly workerId: string;
  readonly work: readonly {
    readonly instanceId: string;
    readonly epoch: number;
    readonly handBack: boolean;
    readonly delayMs: number;
    readonly reason: string;
  }[];
  readonly nowMs: number;
}
export interface ReleaseWorkResult {
  readonly outcome: "released";
}
