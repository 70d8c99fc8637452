import type { PackedNotices } from "./notice-packing.ts";
import type { PackedError, PackedOutcomes } from "./outcome-packing.ts";
import type { PackedOperations } from "./packing.ts";

/** What a thread is started with. */
export interface ThreadStart {
  readonly path: string;
}

/** To a thread. Answered one by one in this order, but for `operations`: those that have gathered become transactions together. */
export type ToThread =
  | { readonly type: "operations"; readonly packed: PackedOperations }
  | { readonly type: "watch"; readonly watched: boolean }
  /** Moves what it can of the write-ahead log into the file, without waiting for anybody. */
  | { readonly type: "checkpoint" }
  | { readonly type: "close" };

export interface ThreadStats {
  readonly transactions: number;
  readonly statements: number;
  readonly walPages: number;
}

/** From a thread. `opened` comes first, or `failed` and nothing else. */
export type FromThread =
  | { readonly type: "opened" }
  /** From now on it sees what others write. */
  | { readonly type: "watching" }
  | { readonly type: "failed"; readonly error: PackedError }
  | {
      readonly type: "outcomes";
      readonly packed: PackedOutcomes;
      readonly notices: PackedNotices | undefined;
      readonly stats: ThreadStats;
    }
  | { readonly type: "checkpointed"; readonly walPages: number; readonly walPagesLeft: number }
  | { readonly type: "notices"; readonly notices: PackedNotices | undefined };
