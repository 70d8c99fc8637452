export { backupDatabase, checkDatabase, vacuumDatabase } from "./maintenance.ts";
export { openSqliteStore, type SqliteHost, type SqliteOptions } from "./open-sqlite-store.ts";
