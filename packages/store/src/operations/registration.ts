import type { Instance, InstanceStatus, StartFacts } from "../model.ts";
import type { Refused, UnknownInstance } from "./refusals.ts";

/**
 * Makes an instance running (lifecycle event `register`), creating it where it is unknown, and writes its `started` event, in one
 * transaction. The epoch grows by one; holder, lease, ready time, output, error, failure, finished_at, sleep_until, reason and exit code are
 * cleared; started_at = nowMs, first_started_at only if unset; `seed` is kept if there is none yet; the watch for silence begins.
 * A holder that loses it is told so by its next `renewLease`.
 *
 * In this order: `checkpointMissing` if `checkpointId` is given and names neither a checkpoint nor a retry record of it (an unknown
 * instance has none; nothing is created then); `otherTenant` if `checkTenant` and the stored tenant differs; `refused` in a final status.
 * Pending, running and suspended instances may register, whatever their reason. Of concurrent first registrations all succeed.
 */
export interface RegisterInstance {
  readonly kind: "registerInstance";
  readonly instanceId: string;
  readonly tenantId: string;
  readonly checkTenant: boolean;
  readonly checkpointId?: string;
  /** 16 random bytes. */
  readonly seed: Uint8Array;
  readonly nowMs: number;
  /** Silence after which one that nobody launched counts as lost. 0 = never. */
  readonly staleAfterMs: number;
}
export type RegisterInstanceResult =
  | { readonly outcome: "registered"; readonly created: boolean; readonly facts: StartFacts }
  | { readonly outcome: "checkpointMissing" }
  | { readonly outcome: "otherTenant" }
  | Refused;

/**
 * Inserts an instance that nobody has started yet (status pending, claimable from `startAtMs` on if it has a workflow), or attaches to the
 * one that has this id: `attached` if tenant, workflow, version and input (bytes, null unlike empty) are equal, in any status, else
 * `conflict`, naming what differs, with nothing changed. Tags, times and time-out are no part of the comparison. Idempotent by instance id,
 * also for concurrent calls on several processes: exactly one is told `created`.
 *
 * With `parent` the caller's instance must be running and `epoch` its own: `parentUnknown`, `fenced` or `parentRefused` else, checked under
 * the lock of the parent's row. A child has its parent's tenant, else `conflict` on "tenant"; one that is attached must have the same parent,
 * else `conflict` on "parent".
 */
export interface StartInstance {
  readonly kind: "startInstance";
  readonly instanceId: string;
  readonly tenantId: string;
  /** Absent = no worker can claim it; somebody launches it. */
  readonly workflow?: string;
  readonly version?: string;
  readonly input?: Uint8Array;
  readonly tags: Readonly<Record<string, string>>;
  readonly startAtMs?: number;
  /** Running time after which it fails with the reason timeout. */
  readonly timeoutMs?: number;
  readonly seed: Uint8Array;
  readonly parent?: {
    readonly instanceId: string;
    readonly epoch: number;
    /** Its end is sent to the parent under this name. Absent = not sent. */
    readonly resultSignal?: string;
    /** It goes on when the parent ends. */
    readonly detached: boolean;
  };
  readonly nowMs: number;
}
export type StartInstanceResult =
  | { readonly outcome: "created" | "attached"; readonly status: InstanceStatus }
  | {
      readonly outcome: "conflict";
      readonly differs: readonly ("tenant" | "workflow" | "version" | "input" | "parent")[];
    }
  | { readonly outcome: "parentUnknown" }
  | { readonly outcome: "parentRefused"; readonly status: InstanceStatus }
  | { readonly outcome: "fenced"; readonly epoch: number };

/**
 * Notes that these instances made a call or hold an open one (sleep, long poll). Moves last_seen_at forward where it is older than
 * `limits.touchEveryMs`; skips unknown ones, those not running, and those whose `epoch` is given and not the present one. Core gathers what
 * calls that write nothing would have noted and sends it every few seconds, so that reads stay reads.
 */
export interface TouchInstances {
  readonly kind: "touchInstances";
  readonly seen: readonly { readonly instanceId: string; readonly epoch?: number; readonly atMs: number }[];
}
export interface TouchInstancesResult {
  readonly outcome: "touched";
}

/** The whole instance. `withStart`: with what it was started with, which may be large. */
export interface ReadInstance {
  readonly kind: "readInstance";
  readonly instanceId: string;
  readonly tenantId?: string;
  readonly withStart?: boolean;
}
export type ReadInstanceResult = { readonly outcome: "found"; readonly instance: Instance } | UnknownInstance;
