/** Every bound of the store in one place. */
export const limits = {
  /** Operations in one transaction. More would hold up the first answer for the sake of the last. */
  batchOperationsMax: 512,
  /** Bytes of states, payloads and outputs in one transaction; an operation that is larger gets a transaction of its own. */
  batchBytesMax: 33_554_432,
  /** Operations that may wait to be taken into a transaction. */
  queuedOperationsMax: 65_536,
  /** How long a transaction waits for another process's transaction on the same file, in ms. */
  busyTimeoutMs: 5_000,
  /** Instance rows remembered between transactions of one SQLite store. */
  cachedInstancesMax: 10_000,
  /** Rows that one listing returns at most. */
  listRowsMax: 10_000,
  /** Pages of 4 KiB after which SQLite moves its write-ahead log into the database file. */
  sqliteWalPagesMax: 4_000,
  /** Checkpoints that may wait for the index of SQLite's log, and the characters of their ids: they are looked up in memory. */
  sqliteUnindexedRowsMax: 4_096,
  sqliteUnindexedCharactersMax: 1_000_000,
  /** SQLite's page cache, in KiB. */
  sqliteCacheKiB: 32_768,
} as const;
