// The port between a run and whatever keeps its entries: lists and batches, or look-ups and parallel saves over the base protocol.

import type { RetryRecord } from "../ports/source.ts";
import type { OutgoingEntry, RunMessage, StoredEntry } from "./entries.ts";

export interface SaveListener {
  /** Durable. Where entries are batched: in the order of their saving. */
  saved(entry: OutgoingEntry): void;
  /** Never will be: fenced, over, or something else lies under the id. */
  refused(entry: OutgoingEntry, error: Error): void;
}

/** The stored entries of a resumed run. */
export interface Replay {
  peek(called: readonly string[]): StoredEntry | undefined | Promise<StoredEntry | undefined>;
  take(): void;
  /** Listed: of any id. Sparse: of called ids. */
  has(id: string): boolean;
  readonly seqMax: number;
  /** Undefined where entries can't be listed. */
  readonly count: number | undefined;
  /** Messages that are durable: the largest `out`. */
  readonly sent: number;
  /** The replay is over: nothing is asked any more, and what it holds can go. */
  free(): void;
}

/** No method throws; promises reject only when the run has been stopped, but for `startChild`. */
export interface History {
  readonly replay: Replay | undefined;
  readonly isSparse: boolean;
  save(entry: OutgoingEntry, listener: SaveListener): void;
  send(message: RunMessage): void;
  find(id: string): Promise<StoredEntry | undefined>;
  /** What an earlier process announced last for this step. */
  retryOf(id: string): Announced | undefined | Promise<Announced | undefined>;
  /** Resolves when it is durable: only then the wait begins. */
  recordRetry(record: RetryRecord): Promise<void>;
  /** @throws StartConflictError, UnsupportedError, ValueTooLargeError */
  startChild(child: ChildCall): Promise<void>;
  heartbeat(): void;
}

export interface Announced {
  readonly attempt: number;
  /** Undefined: at once. */
  readonly nextAtMs: number | undefined;
}

export interface ChildCall {
  readonly instanceId: string;
  readonly workflow: string;
  readonly version: string | undefined;
  readonly inputText: string | undefined;
  readonly resultSignal: string;
  readonly detached: boolean;
}
