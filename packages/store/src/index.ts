/** The store port of Runtara: durable state behind plain operations. Engines live in their own entries (`@runtara/store/sqlite`). */
export { defaultDatabaseUrl, type PostgresLocation, parseDatabaseUrl, type SqliteLocation } from "./database-url.ts";
export { StoreError, type StoreErrorCode } from "./errors.ts";
export * from "./model.ts";
export { openStore } from "./open-store.ts";
export type * from "./operations.ts";
export type { Done, Store } from "./store.ts";
