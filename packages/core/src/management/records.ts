import type { HistoryEntry, ListCheckpointsResult, PublishedValue, Store } from "@runtara/store";
import { CoreError } from "../core-error.ts";
import { limits } from "../limits.ts";
import { ask } from "./ask.ts";
import { badCursor, type InstanceRef, listLimit } from "./instances.ts";
import type { PageCursors } from "./page-cursors.ts";
import { type OffsetPage, readPage } from "./paging.ts";

export interface CheckpointListRequest extends InstanceRef, OffsetPage {
  /** Exactly this one. */
  readonly checkpointId?: string;
  /** Inclusive. */
  readonly createdAfterMs?: number;
  /** Exclusive. */
  readonly createdBeforeMs?: number;
}
export interface CheckpointList {
  readonly checkpoints: Extract<ListCheckpointsResult, { outcome: "page" }>["checkpoints"];
  readonly total: number;
  /** As used. */
  readonly limit: number;
}

export interface HistoryRequest extends InstanceRef {
  readonly cursor?: string;
  /** 0 = `limits.listLimit`. */
  readonly limit: number;
  /** Longest state or payload that is sent along. */
  readonly stateBytesMax?: number;
}

/** What instances have left behind: checkpoints, history, published values. */
export class RecordReader {
  readonly #store: Store;
  readonly #cursors: PageCursors;

  constructor(store: Store, cursors: PageCursors) {
    this.#store = store;
    this.#cursors = cursors;
  }

  /** Newest first; an unknown instance has none. `caller` as in `InstanceDirectory.list`. */
  async listCheckpoints({ limit, offset, ...filters }: CheckpointListRequest, caller: string): Promise<CheckpointList> {
    const listing = JSON.stringify(["checkpoints", caller, filters]);
    const place = { limit: Math.min(limit, limits.listRowsMax), offset };
    const { page, total } = await readPage(
      this.#cursors,
      listing,
      place,
      (at) => ask(this.#store, { kind: "listCheckpoints", ...filters, ...at }),
      ({ checkpoints }) => checkpoints.length,
    );
    return { checkpoints: page.checkpoints, total, limit: place.limit };
  }

  /** Undefined = no such checkpoint, or no such instance. */
  async getCheckpoint(
    request: InstanceRef & { readonly checkpointId: string },
  ): Promise<{ readonly state: Uint8Array; readonly createdAtMs: number } | undefined> {
    const result = await ask(this.#store, { kind: "loadCheckpoint", ...request });
    return result.outcome === "found" ? result : undefined;
  }

  /**
   * One page, oldest first; shorter than asked for where long states could make it too large to be sent.
   *
   * @throws CoreError INSTANCE_NOT_FOUND; VALIDATION_ERROR: the cursor is none of this store's
   */
  async history({
    limit,
    stateBytesMax = limits.historyStateBytes,
    ...rest
  }: HistoryRequest): Promise<{ readonly entries: readonly HistoryEntry[]; readonly nextCursor: string | undefined }> {
    const bytesMax = Math.min(stateBytesMax, limits.historyStateBytesMax);
    const rowsMax = Math.floor(limits.historyPageBytesMax / Math.max(bytesMax, 1));
    const page = { limit: Math.min(listLimit(limit), rowsMax), bytesMax };
    const result = await ask(this.#store, { kind: "listHistory", ...rest, ...page });
    if (result.outcome === "unknownInstance") throw CoreError.instanceNotFound(rest.instanceId);
    if (result.outcome === "badCursor") throw badCursor();
    return { entries: result.entries, nextCursor: result.nextCursor };
  }

  /**
   * In the order of their keys; without `key` all of them.
   *
   * @throws CoreError INSTANCE_NOT_FOUND; VALUE_TOO_LARGE: together they are too large for one answer
   */
  async published(request: InstanceRef & { readonly key?: string }): Promise<readonly PublishedValue[]> {
    const result = await ask(this.#store, { kind: "readPublished", ...request });
    if (result.outcome === "unknownInstance") throw CoreError.instanceNotFound(request.instanceId);
    const { values } = result;
    const bytes = values.reduce((sum, { value }) => sum + value.byteLength, 0);
    if (values.length > 1 && bytes > limits.payloadBytesMax) {
      const text = `the published values of instance '${request.instanceId}' have ${bytes} bytes together, more than one answer holds; ask for one key at a time`;
      throw new CoreError("VALUE_TOO_LARGE", text);
    }
    return values;
  }
}
