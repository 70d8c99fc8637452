import type { Clock } from "./clock.ts";
import type { SourceError } from "./source-error.ts";

export type SignalType = "cancel" | "pause" | "resume";

export interface PendingSignal {
  readonly type: SignalType;
  readonly payload: Uint8Array;
}

/** A named signal that stays until an entry consumes it. */
export interface QueuedSignal {
  readonly signalId: number;
  readonly name: string;
  readonly payload: Uint8Array;
  readonly createdAtMs: number;
}

/** What a process must know before the first turn. As the store's StartFacts. */
export interface StartFacts {
  readonly epoch: number;
  /** Checkpoints and retry records; 0 = a fresh instance, nothing is read. */
  readonly checkpointCount: number;
  readonly input: Uint8Array | null;
  readonly firstStartedAtMs: number;
  readonly seed: Uint8Array;
  readonly run: number;
  readonly workflow: string | null;
  readonly version: string | null;
  readonly parentInstanceId: string | null;
  readonly signal: PendingSignal | undefined;
}

export interface ClaimedWork {
  readonly instanceId: string;
  readonly tenantId: string;
  readonly facts: StartFacts;
}

export interface WorkflowOffer {
  readonly name: string;
  readonly versions: readonly string[];
}

export interface ClaimRequest {
  readonly offers: readonly WorkflowOffer[];
  readonly capacity: number;
  /** `sequence` of the last answer with work, 0 before the first. */
  readonly received: number;
  readonly waitMs: number;
}
export interface ClaimAnswer {
  readonly sequence: number;
  /** May hold what the runtime runs already, with the same epoch: that is dropped. */
  readonly work: readonly ClaimedWork[];
}

export interface ReleasedWork {
  readonly instanceId: string;
  readonly epoch: number;
  /** Unfinished, and the next worker is to have it. */
  readonly handBack: boolean;
  readonly delayMs: number;
  readonly reason: string;
}

/** What is awaited for one instance. `afterSignalId` is always 0: what is consumed is gone, and names whose demand is met are left out. */
export interface SignalInterest {
  readonly instanceId: string;
  readonly epoch: number;
  readonly names: readonly string[];
  readonly afterSignalId: number;
  readonly seenSignal?: SignalType | undefined;
  readonly ended: boolean;
}
export interface WaitSignalsRequest {
  readonly revision: number;
  readonly interests: readonly SignalInterest[];
  readonly replacesAll: boolean;
  readonly waitMs: number;
}
export interface InstanceSignals {
  readonly instanceId: string;
  readonly fenced: boolean;
  readonly signal: PendingSignal | undefined;
  readonly queued: readonly QueuedSignal[];
}

/** A call that is held open. Giving it up changes nothing and settles nothing. */
export interface OpenPoll<Answer> {
  readonly answer: Promise<Answer>;
  abandon(): void;
}

/** Work for one runtime: one worker id, one lease, one connection. */
export interface WorkSource {
  readonly workerId: string;
  readonly tenantId: string;
  /** The clock by which leases and due times are measured: the core's, as far as it is known. Monotone. */
  readonly clock: Clock;
  /** One at a time; a later one takes over and the earlier is answered empty. */
  claim(request: ClaimRequest): OpenPoll<ClaimAnswer>;
  /** @returns the instances that were this worker's and are no more; named until they are released or claimed */
  renew(leaseMs: number): Promise<{ readonly lost: readonly string[] }>;
  release(work: readonly ReleasedWork[]): Promise<void>;
  /** One at a time, like claim. After a reconnection the runtime sends everything anew (`replacesAll`). */
  waitSignals(request: WaitSignalsRequest): OpenPoll<readonly InstanceSignals[]>;
  session(work: ClaimedWork): InstanceSession;
  /** Keeps the lease while the event loop is busy; see LeaseKeeper. Absent where nobody else could take over (memory). */
  keeper(leaseMs: number): LeaseKeeper | undefined;
  /** The tick is over: what was submitted goes out together. */
  flush(): void;
  /** Tells that calls can have been lost and polls have to begin anew; returns the unsubscribing. Local: never. */
  onReconnected(listener: () => void): () => void;
  close(): Promise<void>;
}

/**
 * Standby for a busy event loop. The loop renews by itself every third of the lease and signs every second; if there is no sign for half the
 * lease, somebody else (a worker thread, the addon) renews in its place, until there has been none for 60 s (R22).
 */
export interface LeaseKeeper {
  sign(): void;
  close(): Promise<void>;
}

export interface BatchEntry {
  readonly checkpointId: string;
  readonly state: Uint8Array;
  readonly consumesSignalId?: number | undefined;
}
export interface OutgoingMessage {
  /** 1, 2, … within the run. */
  readonly number: number;
  readonly content:
    | { readonly kind: "published"; readonly key: string; readonly value: Uint8Array }
    | { readonly kind: "event"; readonly subtype: string; readonly payload: Uint8Array; readonly createdAtMs: number };
}
export interface Batch {
  readonly entries: readonly BatchEntry[];
  readonly messages: readonly OutgoingMessage[];
  /** The number of the run that begins with it; continueAsNew. */
  readonly beginsRun?: number | undefined;
}
export interface BatchAnswer {
  /** One for each entry; `state` undefined = saved, else what was there already. */
  readonly entries: readonly { readonly state: Uint8Array | undefined }[];
  readonly signal: PendingSignal | undefined;
}
/** Called once, after the commit or with the error. */
export type Done<Answer> = (
  ...outcome: [error: undefined, answer: Answer] | [error: SourceError, answer: undefined]
) => void;

export interface OwnPage {
  readonly checkpoints: readonly {
    readonly checkpointId: string;
    /** Undefined = longer than `stateBytesMax`; `find` has it. */
    readonly state: Uint8Array | undefined;
    readonly stateBytes: number;
    readonly createdAtMs: number;
  }[];
  readonly retries: readonly {
    readonly checkpointId: string;
    readonly attempt: number;
    readonly createdAtMs: number;
    readonly nextAtMs: number | null;
  }[];
  readonly nextCursor: string | undefined;
}

export interface RetryRecord {
  readonly checkpointId: string;
  /** The attempt that will be made: 2 for the first retry. */
  readonly attempt: number;
  readonly nextAtMs: number;
  readonly error: string;
}

export interface Suspension {
  readonly untilMs?: number | undefined;
  readonly names: readonly string[];
  readonly recordedSignal?: SignalType | undefined;
  readonly afterSignalId: number;
}
export type SuspensionAnswer =
  | { readonly suspended: true }
  | { readonly suspended: false; readonly signal: PendingSignal | undefined; readonly queued: readonly QueuedSignal[] };

export interface ChildStart {
  readonly instanceId: string;
  readonly workflow: string;
  readonly version?: string | undefined;
  readonly input?: Uint8Array | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** Its end comes under this name. */
  readonly resultSignal: string;
  readonly detached: boolean;
}

/** The last word of a process on an instance. */
export type Report =
  | { readonly is: "completed"; readonly output: Uint8Array | undefined }
  | { readonly is: "failed"; readonly error: string; readonly failure: Uint8Array }
  /** Acknowledges the cancel. */
  | { readonly is: "cancelled" }
  /** Acknowledges the pause, then suspends. */
  | { readonly is: "paused" }
  /** The report of the divergence goes out as event `runtara_divergence`. */
  | { readonly is: "diverged"; readonly report: Uint8Array };

/** What a session can do; false = UnsupportedError, or the base protocol's way where it has one. */
export interface SessionServes {
  /** Listed entries, atomic batches, consumed signals. False: entries are looked up and saved one by one (sparse). */
  readonly batches: boolean;
  readonly suspendUntil: boolean;
  readonly retryTimes: boolean;
  readonly children: boolean;
  readonly publish: boolean;
  readonly signalQueue: boolean;
}

/** The calls of one instance, with the epoch of its claim or registration. */
export interface InstanceSession {
  readonly work: ClaimedWork;
  readonly serves: SessionServes;
  /** All or none, in this order. One at a time where `serves.batches`; repeated with the same bytes. */
  save(batch: Batch, done: Done<BatchAnswer>): void;
  /** `behind`: only what was saved after this checkpoint; the run's `!next`. */
  list(page: { readonly cursor?: string | undefined; readonly behind?: string | undefined }): Promise<OwnPage>;
  find(checkpointId: string): Promise<Uint8Array | undefined>;
  recordRetry(record: RetryRecord): Promise<void>;
  suspendUntil(suspension: Suspension): Promise<SuspensionAnswer>;
  startChild(child: ChildStart): Promise<{ readonly created: boolean }>;
  /** A custom event without a number; may be noted twice. */
  note(subtype: string, payload: Uint8Array): Promise<void>;
  acknowledge(type: SignalType): Promise<void>;
  report(report: Report): Promise<void>;
  /** Says "alive"; no answer. Nothing where a lease says it. */
  heartbeat(): void;
}
