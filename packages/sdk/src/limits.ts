/** Every bound of this package. Nothing else writes a number that limits memory, count or time. */
export const limits = {
  /** Names of steps, sleeps and scopes, UTF-8 bytes. */
  nameBytesMax: 128,
  workflowNameCharsMax: 100,
  versionCharsMax: 100,
  /** Versions that one workflow serves: its own and those it accepts. */
  versionsMax: 100,
  scopeDepthMax: 32,
  /** A checkpoint id; longer ones keep `idHeadBytes` and end in a hash. */
  idBytesMax: 480,
  idHeadBytes: 440,
  idHashChars: 32,
  /** Escaped names that are kept; the cache is emptied when it is full. */
  escapedNamesMax: 4096,
  /** Call sites that are kept, one per name. */
  sourcesMax: 4096,

  valueDepthMax: 500,
  /** Depth and nodes up to which the fast check for plain JSON looks; beyond, the slow writer decides. */
  plainDepthMax: 64,
  plainNodesMax: 4_194_304,
  /** The 64 MiB frame of the protocol, and what the rest of a checkpoint request may take of it. */
  valueBytesMax: 67_108_864,
  envelopeBytesReserved: 4096,
  /** Characters that are written for one value, those included that are dropped again with a member of an error that can't be kept. */
  valueWorkMax: 134_217_728,
  valueBytesWarn: 1_048_576,
  /** What a codec that compresses may make of stored bytes: a continuation holds an input and an inbox. */
  openedBytesMax: 134_217_728,

  /** Names of signals that one instance asks the store for at once, those of its newest waits; core takes no more. */
  awaitedNamesMax: 1_000,
  /** Names of signals of one instance of which it is remembered which was consumed last. */
  consumedNamesMax: 1_000,
  /** Instances whose end is remembered, so that a late answer to a claim does not run them again. */
  endedInstancesMax: 10_000,
  /** Attempts of a compensation that says nothing else. */
  compensationAttempts: 10,
  concurrentStepsDefault: 256,
  /** Entries of one run from which on it is told, once, that continueAsNew would make it lighter. */
  entriesHint: 50_000,
  /** Node clamps longer timers to 1 ms. */
  timerMsMax: 2_147_483_647,
  /** The latest time that core takes, and what may be added to the present without going beyond it. */
  timeMsMax: 8_200_000_000_000_000,
  durationMsMax: 4_000_000_000_000_000,
  /** How long a replay waits for a call that came from code outside durable turns before it judges. */
  foreignGraceMs: 30_000,
  /** The same in a replay without a process, where nothing else is waited for. */
  replayGraceMs: 200,
  stepHeartbeatIntervalMs: 1_000,

  /** A batch of entries and messages of one instance: how many of each, and from how many bytes on nothing more is added. */
  batchEntriesMax: 1_000,
  batchBytesFull: 8_388_608,
  /** Longest message of an error in a note or report, characters. */
  noteTextCharsMax: 4_096,
  instancesDefault: 1_000,
  /** Most that may be in memory: one connection waits for the signals of no more. */
  instancesMax: 100_000,
  /** Workflows of one runtime. */
  offersMax: 1_000,
  /** Idle instances that are offered for eviction to make room for claims. */
  evictableMax: 64,
  /** Most that one claim asks for. */
  claimCapacityMax: 1_000,
  /** How long claims and waits for signals are held open. */
  claimWaitMs: 30_000,
  signalWaitMs: 30_000,
  /** An instance that waits for no name is listened to for cancel and pause only after this long. */
  quickInstanceMs: 100,
  /** Idle for so long (or for `suspendAfter`, if that is shorter), an instance may be put away. */
  idleBeforeSuspendMs: 1_000,
  /** A call that the source could not take is tried again after the first, and at last after the second. */
  sourceDelayMsMin: 10,
  sourceDelayMsMax: 5_000,
  /** The sign for whoever keeps the lease while the event loop is busy. */
  leaseSignMs: 1_000,
  /** An instance whose runner failed is given to the next one after this long. */
  faultDelayMs: 10_000,
  /** How long a closing runtime waits for what is on its way to the store. */
  closingMs: 5_000,
  /** While it closes: how often it looks without having been told of anything. */
  closingLookMs: 50,

  savesInFlightMax: 256,
  lookupsInFlightMax: 256,
  retryAttemptMax: 2_147_483_647,
  reconnectDelayMsMin: 20,
  reconnectDelayMsMax: 1_000,
  dialTimeoutMsMin: 400,
  /** A connection without a sign of life for this long is lost. */
  idleMs: 10_000,
  keepAliveMs: 3_000,
  idleMsLoopback: 2_000,
  keepAliveMsLoopback: 500,
  connectTimeoutMsDefault: 10_000,
  requestTimeoutMsDefault: 30_000,
  /** A measurement of the core's clock is replaced by a worse one after this long. */
  clockBelievedMs: 60_000,
  /** Batches of several instances that go out in one call, and their bytes together. */
  batchesPerCallMax: 256,
  batchesBytesFull: 1_048_576,
  /** Instances that one call gives back. */
  releasedPerCallMax: 1_000,
  signalPollIntervalMsDefault: 1_000,
  heartbeatIntervalMsDefault: 30_000,
  suspendAfterMsDefault: 5_000,
  drainMsDefault: 30_000,
  leaseMsDefault: 5_000,
  /** As core has them. */
  leaseMsMin: 1_000,
  leaseMsMax: 300_000,
  /** When unfinished instances of workflows that nobody named are looked for, and in how many pages at most. */
  unknownWorkflowsAfterMs: 2_000,
  unknownWorkflowsPagesMax: 10,
  /** Silence of a busy event loop after which nobody renews its lease any more. */
  leaseGoneMs: 60_000,
  /** After the store said that too much waits, when nothing else was said. */
  overloadedDelayMs: 100,
  /** One long poll of a client for a result or for changes. */
  clientPollMs: 30_000,
  /** Ready for so long, and taken by nobody: shown as unserved. */
  unservedAfterMs: 2_000,
  /** Fields that a start conflict shows. */
  differencesShown: 5,
  /** Bytes of an error's text that go into the FAILED event and a retry record. */
  errorTextCharsMax: 32_768,
} as const;
