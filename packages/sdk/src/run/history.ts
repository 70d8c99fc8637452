// The port between the run engine and whatever keeps the entries: the base protocol today.

/** An entry as it was stored. */
export interface StoredEntry {
  readonly id: string;
  readonly text: string;
  /** Undefined: the state under this id was not written by a workflow. */
  readonly seq: number | undefined;
}

/** An entry on its way to the store. */
export interface OutgoingEntry {
  readonly id: string;
  readonly seq: number;
  readonly text: string;
}

/** What a run is told about its saves. */
export interface SaveListener {
  /** The entry is durable. Any order. */
  saved(entry: OutgoingEntry): void;
  /** It never will be: another process owns the instance, the instance is over, or something else lies under the id. */
  refused(entry: OutgoingEntry, error: Error): void;
}

/** The stored entries of a resumed run. */
export interface Replay {
  /** The next entry in order, to be delivered while the code stands still; undefined when all have been. `called`: ids that were
   *  called since it was last asked. Asked again before `take`, it may answer otherwise. An entry that was not called means that
   *  the code has diverged. */
  peek(called: readonly string[]): StoredEntry | undefined | Promise<StoredEntry | undefined>;
  /** The entry that was peeked has been delivered. */
  take(): void;
  /** True for called ids under which an entry is stored. */
  has(id: string): boolean;
  /** The largest seq seen so far. */
  readonly seqMax: number;
  /** How many entries are stored; undefined where they can't be listed. */
  readonly count: number | undefined;
}

/** All that a run asks of the outside. No method throws; promises reject only when the run has been stopped. */
export interface History {
  /** Undefined: nothing was ever stored, the run is live from its first turn. */
  readonly replay: Replay | undefined;
  /** True where entries can't be listed and are saved in parallel: they then note what was delivered before them. */
  readonly isSparse: boolean;
  /** Saves, and repeats for as long as it takes; the listener hears of the end. */
  save(entry: OutgoingEntry, listener: SaveListener): void;
  find(id: string): Promise<StoredEntry | undefined>;
  /** The attempt that was announced last for a step of an earlier process, at least 1. */
  attemptOf(id: string): Promise<number>;
  /** Says, before the wait, that this attempt will be made. Not awaited, may be lost. */
  announceAttempt(id: string, attempt: number, error: string): void;
  /** Tells the server that the instance is alive. Not awaited, may be lost. */
  heartbeat(): void;
}
