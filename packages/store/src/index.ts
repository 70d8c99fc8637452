/** The store port of Runtara: durable state behind plain operations. Engines live in their own entries (`@runtara/store/sqlite`). */
export { defaultDatabaseUrl, type PostgresLocation, parseDatabaseUrl, type SqliteLocation } from "./database-url.ts";
export { type InstanceRow, newRow } from "./decide/index.ts";
export { StoreError, type StoreErrorCode } from "./errors.ts";
export {
  acceptingStatuses,
  isFinal,
  type LifecycleEffect,
  type LifecycleEvent,
  type LifecycleState,
  lifecycleEvents,
  type Move,
  type Outcome,
  transition,
} from "./lifecycle/index.ts";
export { limits as storeLimits } from "./limits.ts";
export * from "./model.ts";
export { type OpenOptions, openStore } from "./open-store.ts";
export type * from "./operations/index.ts";
export { kinds } from "./operations/kinds.ts";
export type { Done, Notice, Store, StoreStats } from "./store.ts";
