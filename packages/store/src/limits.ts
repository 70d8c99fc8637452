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
  /** Checkpoints that may wait for the index of SQLite's log; they are looked up in memory. */
  sqliteUnindexedRowsMax: 4_096,
  /** So many of them are brought into that index at once, at least: a commit that brings in none writes fewer pages. */
  sqliteIndexSliceMin: 64,
  /** Characters of the ids of checkpoints that wait for that index; at either bound it is brought up to date. */
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
  /** Connections of a PostgreSQL store whose address names no `pool`. */
  poolConnections: 10,
  /**
   * Least that `pool` may be: a lane, one for operations of several instances (claims, releases, renewals, timers, notices, retention), a reader,
   * a listener. With 5 renewals, timers and notices have one of their own, with 6 retention and what waits for locks, with 7 there is the second
   * lane; all others read.
   */
  poolConnectionsMin: 4,
  /** Most that `pool` may be. */
  poolConnectionsMax: 100,
  /** How long PostgreSQL may take to accept a connection, and how long operations wait for it to come back after it was lost, in ms. */
  connectTimeoutMs: 5_000,
  /** Longest statement on PostgreSQL where the address names no `statement_timeout_ms`, in ms. */
  statementTimeoutMs: 10_000,
  /** Most that `statement_timeout_ms` may be, in ms. */
  statementTimeoutMsMax: 86_400_000,
  /** Longest wait of a statement for a lock on PostgreSQL, in ms. */
  lockTimeoutMs: 5_000,
  /** Longest wait for a lock where others wait for their turn on a PostgreSQL connection, in ms; then it waits aside and lets them pass. */
  turnLockTimeoutMs: 50,
  /** A pooled PostgreSQL connection that nobody has used for this long is closed, in ms. */
  idleConnectionMs: 600_000,
  /** How long past a statement's own limit the PostgreSQL server may take to say so, and to a goodbye; then the connection counts as lost. */
  answerGraceMs: 5_000,
  /** Silence after which TCP asks whether the PostgreSQL server is still there, in ms. */
  keepAliveAfterMs: 10_000,
  /** How often a connection that only listens is asked whether it still is one. */
  listenerProbeMs: 5_000,
  /** How long a PostgreSQL connection may take to say goodbye before it is cut, in ms. */
  closeGraceMs: 1_000,
  /** First pause between tries to reach a PostgreSQL server that was lost, in ms; each is longer than the one before. */
  reconnectDelayMsMin: 50,
  /** Longest pause between such tries, in ms. */
  reconnectDelayMsMax: 1_000,
  /** Longest time between a commit and the notice of it in another process where notices are sent, in ms. */
  noticeDelayMs: 10,
  /** How often other processes' writes are looked for where no notices are sent, in ms; work and due times half of it. */
  pollEveryMs: 100,
  /** Bytes of states in one statement for PostgreSQL. */
  pgBatchBytesMax: 16_777_216,
  /**
   * SQLite's write-ahead log grows beyond sqliteWalPagesMax only while a reader holds an old state, for as long as it does; above this, in
   * bytes, moving its pages is tried no more often than walRetryMs.
   */
  sqliteWalBytesMax: 268_435_456,
  /** Time between two attempts to begin SQLite's write-ahead log anew while a reader holds it, in ms. */
  walRetryMs: 1_000,
  /** Pages of SQLite's write-ahead log that the writer may move into the file itself: it is held up for about a tenth of a millisecond by ten. */
  walFinishPages: 64,
  /** How often at most they are moved beside the writer before it moves the rest. */
  walMovesMax: 6,
  /** Ended instances that one removeOld looks at on PostgreSQL; the next goes on behind them. */
  removeLooksMax: 1_000,
  /** Ended instances that removeOld looks at with one statement on SQLite. */
  removeLooksAtOnce: 64,
  /** Pages of 4 KiB that one removeOld gives back to the file system on SQLite. */
  vacuumPagesMax: 256,
  /** Of them, those between two looks at the time. */
  vacuumPagesAtOnce: 16,
  /** Messages with operations that a thread of SQLite may have; what comes meanwhile makes one more. */
  threadMessagesMax: 2,
  /** After so long, in ms, removeOld on SQLite ends its slice, once it has done removeWeightMin. */
  removeSliceMs: 5,
  /** Rows, looks at instances and pages of 4 KiB that one removeOld on SQLite gets done however slow it is. */
  removeWeightMin: 128,
  /** Small rows that one statement of removeOld takes on SQLite. */
  removeRowsAtOnce: 64,
} as const;
