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
  /** How far last_seen_at may lag behind, in ms: so long a call that changes nothing else writes nothing. */
  touchEveryMs: 5_000,
  /** Queued signals of one instance in one answer of readSignals. */
  queuedSignalsMax: 100,
  /** Queued signals that may wait for one instance; more are refused with OVERLOADED. */
  signalQueueMax: 100_000,
  /** Keys that one instance may publish. */
  publishedKeysMax: 1_000,
  /** Rows of one page of listOwnCheckpoints. */
  ownRowsMax: 10_000,
  /** Instances in one answer of claimWork. */
  claimMax: 1_000,
  /** Children of one ended instance that one round of settleEnded asks to cancel. */
  settleChildrenMax: 1_000,
  /** After the end of a lease that nobody claims, until the instance is shown as handed back, in ms. */
  leaseGraceMs: 30_000,
  /** How long removeOld keeps a worker whose lease has ended, in ms. */
  workerKeptMs: 86_400_000,
  /**
   * Connections between which a PostgreSQL store deals out the operations of instances. Two keep the server busy while one flushes its log;
   * with more the batches get smaller, and each checkpoint costs up to half as much again of the server's time.
   */
  lanes: 2,
  poolConnections: 10,
  /** A lane, one for operations of several instances, a reader, a listener. */
  poolConnectionsMin: 4,
  poolConnectionsMax: 100,
  connectTimeoutMs: 5_000,
  statementTimeoutMs: 10_000,
  statementTimeoutMsMax: 86_400_000,
  lockTimeoutMs: 5_000,
  idleConnectionMs: 600_000,
  /** How long past a statement's own limit the PostgreSQL server may take to say so, and to a goodbye; then the connection counts as lost. */
  answerGraceMs: 5_000,
  keepAliveAfterMs: 10_000,
  /** How often a connection that only listens is asked whether it still is one. */
  listenerProbeMs: 5_000,
  closeGraceMs: 1_000,
  reconnectDelayMsMin: 50,
  reconnectDelayMsMax: 2_000,
  /** Longest time between a commit and the notice of it in another process where notices are sent, in ms. */
  noticeDelayMs: 10,
  /** How often other processes' writes are looked for where no notices are sent, in ms; work and due times half of it. */
  pollEveryMs: 100,
  /** Bytes of states in one statement for PostgreSQL. */
  pgBatchBytesMax: 16_777_216,
  /** SQLite's write-ahead log is cut back with all readers waiting above this, in bytes. */
  sqliteWalBytesMax: 268_435_456,
  /** Ended instances that one removeOld looks at on SQLite; the next goes on behind them. */
  removeLooksMax: 1_000,
  /** Pages of 4 KiB that one removeOld gives back to the file system on SQLite. */
  vacuumPagesMax: 256,
  /** Messages with operations that a thread of SQLite may have; what comes meanwhile makes one more. */
  threadMessagesMax: 2,
  /** Longest slice of removeOld, in ms. */
  removeSliceMs: 5,
} as const;
