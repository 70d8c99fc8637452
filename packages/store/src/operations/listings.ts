import type { EventType, HistoryEntry, InstanceDetails, InstanceStatus, PublishedValue } from "../model.ts";
import type { BadCursor, FromOperator, UnknownInstance } from "./refusals.ts";

// Cursors are opaque text of one store; a cursor with other filters than those it was made with gives a page of unspecified rows, no error.

/** A page: behind `cursor` if there is one, else behind `offset` rows. */
export interface Page {
  readonly limit: number;
  readonly offset?: number;
  readonly cursor?: string;
}
export interface PageEnd {
  /** Undefined = that was the last page. */
  readonly nextCursor: string | undefined;
}

/** Newest first by creation, then by id; `total` counts all that fit the filters (not counted with a cursor: undefined). */
export interface ListInstances extends Page {
  readonly kind: "listInstances";
  readonly tenantId?: string;
  readonly status?: InstanceStatus;
}
export type ListInstancesResult =
  | (PageEnd & {
      readonly outcome: "page";
      readonly instances: readonly InstanceDetails[];
      readonly total: number | undefined;
    })
  | BadCursor;

/** Every filter must fit; bounds are exclusive; newest first. */
export interface QueryInstances extends Page {
  readonly kind: "queryInstances";
  readonly tenantId: string;
  readonly workflow?: string;
  readonly statuses: readonly InstanceStatus[];
  readonly createdAfterMs?: number;
  readonly createdBeforeMs?: number;
  readonly tags: Readonly<Record<string, string>>;
}
export type QueryInstancesResult =
  | (PageEnd & { readonly outcome: "page"; readonly instances: readonly InstanceDetails[] })
  | BadCursor;

/**
 * Newest first in the order of saving; retry records are among them as `{base}::retry::{n}` with 0 bytes. After is inclusive, before
 * exclusive. An unknown instance has none. Sizes without reading states. `total` as in ListInstances.
 */
export interface ListCheckpoints extends Page, FromOperator {
  readonly kind: "listCheckpoints";
  readonly checkpointId?: string;
  readonly createdAfterMs?: number;
  readonly createdBeforeMs?: number;
}
export type ListCheckpointsResult =
  | (PageEnd & {
      readonly outcome: "page";
      readonly checkpoints: readonly {
        readonly checkpointId: string;
        readonly createdAtMs: number;
        readonly stateBytes: number;
      }[];
      readonly total: number | undefined;
    })
  | BadCursor;

/** Newest first by the client's time, then by arrival. After is inclusive, before exclusive. `total` as in ListInstances. */
export interface ListEvents extends Page, FromOperator {
  readonly kind: "listEvents";
  readonly type?: EventType;
  readonly subtype?: string;
  readonly createdAfterMs?: number;
  readonly createdBeforeMs?: number;
}
export interface StoredEvent {
  readonly type: EventType;
  readonly subtype: string | null;
  readonly checkpointId: string | null;
  readonly payload: Uint8Array | null;
  readonly createdAtMs: number;
  readonly receivedAtMs: number;
}
export type ListEventsResult =
  | (PageEnd & {
      readonly outcome: "page";
      readonly events: readonly StoredEvent[];
      readonly total: number | undefined;
    })
  | BadCursor;

/**
 * Oldest first: checkpoints, events, retries and signals merged by the server's time; of equal times in that order, then as they came. The
 * cursor holds a place in each of the four, so nothing is shown twice or left out while more is written. States and payloads over
 * `bytesMax` are left out.
 */
export interface ListHistory extends Page, FromOperator {
  readonly kind: "listHistory";
  readonly bytesMax: number;
}
export type ListHistoryResult =
  | (PageEnd & { readonly outcome: "page"; readonly entries: readonly HistoryEntry[] })
  | BadCursor
  | UnknownInstance;

/**
 * What has happened to an instance since `cursor`: history entries, published values and, if anything that InstanceDetails shows has changed,
 * the details as they are now. Without a cursor: the details alone, and a cursor of now. `ended`: it has ended and nothing more follows but
 * late events.
 */
export interface ReadChanges extends FromOperator {
  readonly kind: "readChanges";
  readonly cursor?: string;
  readonly limit: number;
  readonly bytesMax: number;
}
export type ReadChangesResult =
  | {
      readonly outcome: "changes";
      readonly entries: readonly HistoryEntry[];
      readonly published: readonly PublishedValue[];
      readonly details: InstanceDetails | undefined;
      readonly nextCursor: string;
      readonly ended: boolean;
    }
  | BadCursor
  | UnknownInstance;

/** In the order of their keys, byte by byte; without `key` all (at most `limits.publishedKeysMax`, which `publish` guards). */
export interface ReadPublished extends FromOperator {
  readonly kind: "readPublished";
  readonly key?: string;
}
export type ReadPublishedResult =
  | { readonly outcome: "found"; readonly values: readonly PublishedValue[] }
  | UnknownInstance;

/** Asks the engine something that needs the database, and counts what runs (running and suspended). Fails where the database does. */
export interface CheckHealth {
  readonly kind: "checkHealth";
}
export interface CheckHealthResult {
  readonly outcome: "healthy";
  readonly active: number;
}
