/** The states of an instance, as stored and shown. The last three are final. */
export const instanceStatuses = ["pending", "running", "suspended", "completed", "failed", "cancelled"] as const;
export type InstanceStatus = (typeof instanceStatuses)[number];

export const signalTypes = ["cancel", "pause", "resume"] as const;
export type SignalType = (typeof signalTypes)[number];

export const eventTypes = ["started", "heartbeat", "completed", "failed", "suspended", "custom"] as const;
export type EventType = (typeof eventTypes)[number];

/** A signal to a whole instance that has not been acknowledged. An absent payload is an empty one. */
export interface PendingSignal {
  readonly type: SignalType;
  readonly payload: Uint8Array;
}

/** A signal addressed to one checkpoint id. */
export interface CustomSignal {
  readonly checkpointId: string;
  readonly payload: Uint8Array;
}

/**
 * A change of status as data: carried out only where the instance is in one of `from` (and, where given, has `whenPending` as its
 * unacknowledged signal). Which changes exist is decided by the caller; the store carries out the first one of a list that fits,
 * in the transaction of the operation it belongs to. Durable sleeps end with a change into a final status.
 */
export interface Transition {
  readonly from: readonly InstanceStatus[];
  readonly whenPending?: SignalType;
  readonly to: InstanceStatus;
  /** Columns that change with it; what is left out stays. */
  readonly set?: {
    readonly output?: Uint8Array | null;
    readonly error?: string | null;
    readonly finishedAtMs?: number | null;
  };
  /** Whether durable sleeps are forgotten because the instance has ended. */
  readonly ends: boolean;
}

/** An instance as a whole. Times are milliseconds since the Unix epoch. */
export interface Instance {
  readonly instanceId: string;
  readonly tenantId: string;
  readonly status: InstanceStatus;
  /** The last newly saved checkpoint. */
  readonly checkpointId: string | null;
  readonly checkpointCount: number;
  /** How many times the instance has registered. */
  readonly epoch: number;
  readonly createdAtMs: number;
  readonly firstStartedAtMs: number | null;
  readonly startedAtMs: number | null;
  readonly finishedAtMs: number | null;
  /** The last call that changed anything for this instance, by the store's user's clock. */
  readonly lastSeenAtMs: number | null;
  readonly output: Uint8Array | null;
  readonly error: string | null;
}
