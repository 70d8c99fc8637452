import type { Instance, InstanceDetails, InstanceStatus, Store } from "@runtara/store";
import { CoreError } from "../core-error.ts";
import { limits } from "../limits.ts";
import { invalidTags, isStorableId } from "../validation.ts";
import { ask, refuse } from "./ask.ts";
import type { PageCursors } from "./page-cursors.ts";
import { type OffsetPage, readPage } from "./paging.ts";

/** What an operator names: with `tenantId`, an instance of another tenant does not exist. */
export interface InstanceRef {
  readonly instanceId: string;
  readonly tenantId?: string;
}

export interface Health {
  /** Whether the database answers. */
  readonly healthy: boolean;
  /** Running and suspended instances; 0 where it does not. */
  readonly active: number;
}

export interface ListRequest extends OffsetPage {
  readonly tenantId?: string;
  readonly status?: InstanceStatus;
}

export interface QueryRequest {
  readonly tenantId: string;
  readonly workflow?: string;
  /** Empty = any. */
  readonly statuses: readonly InstanceStatus[];
  /** Both exclusive. */
  readonly createdAfterMs?: number;
  readonly createdBeforeMs?: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly cursor?: string;
  /** 0 = `limits.listLimit`. */
  readonly limit: number;
}

/** Instances as an operator sees them (spec 2.11). */
export class InstanceDirectory {
  readonly #store: Store;
  readonly #cursors: PageCursors;

  constructor(store: Store, cursors: PageCursors) {
    this.#store = store;
    this.#cursors = cursors;
  }

  /** Never fails. */
  async health(): Promise<Health> {
    try {
      const { active } = await this.#store.run({ kind: "checkHealth" });
      return { healthy: true, active };
    } catch {
      return { healthy: false, active: 0 };
    }
  }

  /** Undefined = unknown. `withStart`: with what it was started with, which may be large. */
  async read(ref: InstanceRef & { readonly withStart?: boolean }): Promise<Instance | undefined> {
    if (!isStorableId(ref.instanceId)) return undefined;
    const result = await ask(this.#store, { kind: "readInstance", ...ref });
    return result.outcome === "found" ? result.instance : undefined;
  }

  /** Newest first; `caller` tells the pages of one caller from those of another. */
  async list(
    { limit, offset, ...filters }: ListRequest,
    caller: string,
  ): Promise<{ readonly instances: readonly InstanceDetails[]; readonly total: number }> {
    const listing = JSON.stringify(["instances", caller, filters]);
    const place = { limit: Math.min(limit, limits.listRowsMax), offset };
    const { page, total } = await readPage(
      this.#cursors,
      listing,
      place,
      (at) => ask(this.#store, { kind: "listInstances", ...filters, ...at }),
      ({ instances }) => instances.length,
    );
    return { instances: page.instances, total };
  }

  /** @throws CoreError VALIDATION_ERROR: the cursor is none of this store's, or no instance can have these tags */
  async query({ limit, ...filters }: QueryRequest): Promise<{
    readonly instances: readonly InstanceDetails[];
    readonly nextCursor: string | undefined;
  }> {
    refuse(invalidTags(filters.tags));
    const result = await ask(this.#store, { kind: "queryInstances", ...filters, limit: listLimit(limit) });
    if (result.outcome === "badCursor") throw badCursor();
    return { instances: result.instances, nextCursor: result.nextCursor };
  }
}

/** Rows of a page of the extensions: 0 = the default. */
export function listLimit(limit: number): number {
  return limit === 0 ? limits.listLimit : Math.min(limit, limits.listLimitMax);
}

export function badCursor(): CoreError {
  return CoreError.validation("cursor", "cursor is none that this server made; begin again without one");
}
