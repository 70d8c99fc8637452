/** Every bound of this package. Nothing else writes a number that limits memory, count or time. */
export const limits = {
  /** Names of steps, sleeps and scopes, UTF-8 bytes. */
  nameBytesMax: 128,
  workflowNameCharsMax: 100,
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
  valueBytesWarn: 1_048_576,

  concurrentStepsDefault: 256,
  /** Node clamps longer timers to 1 ms. */
  timerMsMax: 2_147_483_647,
  durationMsMax: 9_007_199_254_740_991,
  /** How long a replay waits for a call that came from code outside durable turns before it judges. */
  foreignGraceMs: 30_000,
  stepHeartbeatIntervalMs: 1_000,

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
  signalPollIntervalMsDefault: 1_000,
  heartbeatIntervalMsDefault: 30_000,
  /** Bytes of an error's text that go into the FAILED event and a retry record. */
  errorTextCharsMax: 32_768,
} as const;
