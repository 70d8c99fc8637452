/** Every number that bounds memory, count or time on the TypeScript side, with the defaults of all options. */
export const limits = {
  /** Payload of one frame (spec 1.5). */
  framePayloadBytesMax: 67_108_864,
  /** Frame types are 1 to this (spec 1.5). */
  frameTypeMax: 6,
  /** A started frame may stall this long. */
  readTimeoutMs: 30_000,
  /** What the half-read large frames of one connection may reserve together: two of the largest. */
  connectionBufferBytesMax: 134_217_728,
  /** What the half-read frames of all connections of an endpoint may hold together. */
  endpointBufferBytesMax: 1_073_741_824,
  /** Answers that wait because their peers do not read: of one connection (two of the largest), of all of an endpoint. */
  connectionUnsentBytesMax: 134_217_728,
  endpointUnsentBytesMax: 1_073_741_824,
  /** Values above this are handed over by reference instead of through the slab; native/src/limits.rs has its own. */
  slabValueBytesMax: 65_536,
  /** A batch is submitted before the tick's end once its slab holds this much. */
  submitBytesMax: 262_144,
  /** The same for values handed over by reference, so that not all of a tick's are there twice. */
  submitLargeBytesMax: 4_194_304,
  /** First sizes of the reused buffers; they double when needed. */
  slabBytesInitial: 16_384,
  commandsInitial: 256,
  eventsInitial: 512,
  /** Unread and unsent bytes of one raw stream. */
  streamUnreadBytesMax: 1_048_576,
  streamUnsentBytesMax: 1_048_576,
  /** Pieces in which a long write is handed over. */
  streamWriteBytesMax: 262_144,
  /** Read credit is given back in steps of this. */
  streamCreditStepBytes: 131_072,
  /** The longest timer that Node has, 24.8 days; call time-outs beyond it are none. */
  timerMsMax: 2_147_483_647,
  /** For days of validity. */
  dayMs: 86_400_000,
  /** The last moment of the year 9999, beyond which certificates have no dates (RFC 5280 section 4.1.2.5). */
  certificateNotAfterMsMax: 253_402_300_799_000,
  /** A listener's key for stateless resets. */
  resetKeyBytes: 32,
  /** Close and reset codes (RFC 9000 section 16), as far as a number is exact. */
  codeMax: 9_007_199_254_740_991,
} as const;

/** Transport defaults of a server (spec 1.2, 1.12). */
export const serverTransport = {
  idleTimeoutMs: 120_000,
  keepAliveIntervalMs: 15_000,
  maxBidiStreams: 1_000,
  maxUniStreams: 100,
  maxIncoming: 10_000,
  maxConnections: 0,
  retryFromIncoming: 1_000,
  handshakeTimeoutMs: 10_000,
  receiveWindowBytes: 268_435_456,
  udpReceiveBufferBytes: 2_097_152,
  udpSendBufferBytes: 2_097_152,
} as const;

/** Transport defaults of a client (spec 1.2, 1.12). */
export const clientTransport = {
  idleTimeoutMs: 30_000,
  keepAliveIntervalMs: 10_000,
  maxBidiStreams: 100,
  maxUniStreams: 100,
  maxIncoming: 0,
  maxConnections: 0,
  retryFromIncoming: 0,
  handshakeTimeoutMs: 0,
  receiveWindowBytes: 268_435_456,
  udpReceiveBufferBytes: 2_097_152,
  udpSendBufferBytes: 2_097_152,
} as const;
