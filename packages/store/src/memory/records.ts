import type { InstanceRow } from "../decide/row.ts";
import type { SignalType } from "../model.ts";
import type { StoredEvent } from "../operations/index.ts";

// What the memory engine keeps. Every list is in the order of writing, because a Map is.

export interface CheckpointRecord {
  readonly checkpointId: string;
  readonly state: Uint8Array;
  readonly createdAtMs: number;
  /** Its place among the checkpoints and retry records of its instance. */
  readonly position: number;
}

export interface RetryRecord {
  readonly checkpointId: string;
  readonly attempt: number;
  readonly error: string | null;
  readonly nextAtMs: number | null;
  readonly createdAtMs: number;
  readonly position: number;
}

export interface EventRecord extends StoredEvent {
  readonly position: number;
}

/** One signal, as history shows it. A queued one waits while it is not delivered, one of a slot while the slot names it. */
export interface SignalRecord {
  readonly signalId: number;
  readonly kind: SignalType | "slot" | "queued";
  readonly name: string | null;
  readonly payload: Uint8Array | null;
  readonly createdAtMs: number;
  delivered: boolean;
}

/** The single slot of signals to the whole instance. */
export interface PendingRecord {
  readonly signalId: number;
  readonly type: SignalType;
  readonly payload: Uint8Array | null;
}

export interface PublishedRecord {
  readonly key: string;
  readonly value: Uint8Array;
  readonly updatedAtMs: number;
  /** The instance's `changes` when it was written. */
  readonly version: number;
}

export interface SleepRecord {
  readonly checkpointId: string;
  readonly ordinal: number;
  readonly epoch: number;
  readonly finished: boolean;
  readonly wakeAtMs: number;
  readonly state: Uint8Array;
}

export interface InstanceRecord {
  row: InstanceRow;
  readonly input: Uint8Array | null;
  readonly tags: Readonly<Record<string, string>>;
  output: Uint8Array | null;
  error: string | null;
  failure: Uint8Array | null;
  pending: PendingRecord | undefined;
  /** By checkpoint id. */
  readonly checkpoints: Map<string, CheckpointRecord>;
  /** By `retryId`. */
  readonly retries: Map<string, RetryRecord>;
  /** By position. */
  readonly events: Map<number, EventRecord>;
  /** By signal id. */
  readonly signals: Map<number, SignalRecord>;
  /** Those of slots and queues that are not taken, oldest first. */
  readonly waiting: Map<number, SignalRecord>;
  /** Name to the signal that waits in its slot. */
  readonly slots: Map<string, number>;
  /** Message id to signal id. */
  readonly messages: Map<string, number>;
  readonly published: Map<string, PublishedRecord>;
  /** By `sleepId`. */
  readonly sleeps: Map<string, SleepRecord>;
}

export function emptyRecord(
  row: InstanceRow,
  input: Uint8Array | null,
  tags: Readonly<Record<string, string>>,
): InstanceRecord {
  return {
    row,
    input,
    tags,
    output: null,
    error: null,
    failure: null,
    pending: undefined,
    checkpoints: new Map(),
    retries: new Map(),
    events: new Map(),
    signals: new Map(),
    waiting: new Map(),
    slots: new Map(),
    messages: new Map(),
    published: new Map(),
    sleeps: new Map(),
  };
}

/** No text has U+0000, so it parts the two. */
export function sleepId(checkpointId: string, ordinal: number): string {
  return `${checkpointId}\0${ordinal}`;
}

/** A copy that shares nothing that is ever changed. Bytes are never changed once kept. */
export function copyOfRecord(record: InstanceRecord): InstanceRecord {
  const signals = [...record.signals.values()].map((signal) => ({ ...signal }));
  return {
    ...record,
    row: { ...record.row },
    checkpoints: new Map(record.checkpoints),
    retries: new Map(record.retries),
    events: new Map(record.events),
    signals: new Map(signals.map((signal) => [signal.signalId, signal])),
    waiting: new Map(
      signals.filter(({ signalId }) => record.waiting.has(signalId)).map((signal) => [signal.signalId, signal]),
    ),
    slots: new Map(record.slots),
    messages: new Map(record.messages),
    published: new Map(record.published),
    sleeps: new Map(record.sleeps),
  };
}
