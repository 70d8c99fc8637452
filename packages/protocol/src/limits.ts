/** Every bound of this package. Nothing else in it writes a number that limits bytes, count or time. */
export const limits = {
  /** Payload of one frame, both directions, inclusive (spec 1.5). */
  framePayloadBytesMax: 67_108_864,
  /** Length (4) and type (2) in front of each payload (spec 1.5). */
  frameHeaderBytes: 6,
  /** Highest frame type that is valid (spec 1.5). */
  frameTypeMax: 6,
  /** Nesting of messages and unknown groups in one payload. Deeper input is refused. */
  nestingMax: 100,
  /** Nested messages and map entries in one payload: 64 MiB of empty ones would become gigabytes of objects. */
  nestedMessagesMax: 250_000,
  /** Lengths that the encoder keeps room for from one message to the next. */
  sizesKeptMax: 65_536,
  /** Memory transport: bytes that wait unread in one direction of a stream, and the pieces they travel in. */
  memoryUnreadBytesMax: 1_048_576,
  memoryPieceBytesMax: 65_536,
  /** Memory transport: ports that are given out, as the ephemeral ones of a system. */
  memoryPortMin: 49_152,
  portMax: 65_535,
  /** Resolved addresses of one host name that are tried. */
  addressesTriedMax: 8,
  /** The next address is tried after this long without an answer (RFC 8305 section 5). */
  nextAddressMs: 250,
} as const;

/** Time-outs and sizes used where the caller names none (spec 1.2 and 1.12). */
export const clientDefaults = {
  serverAddr: "127.0.0.1:8001",
  serverName: "localhost",
  connectTimeoutMs: 10_000,
  /** The original waits for ever; we give up on a server that has stopped answering. 0 = wait for ever. */
  requestTimeoutMs: 30_000,
  keepAliveIntervalMs: 10_000,
  idleTimeoutMs: 30_000,
  /** How long `close` waits for the acknowledgements of fire-and-forget calls. */
  drainTimeoutMs: 2_000,
} as const;

/** How `client.call` repeats: 4 tries within about a second, then the caller is told. */
export const retryDefaults = { triesMax: 4, delayMsMin: 50, delayMsMax: 2_000 } as const;

export const serverDefaults = {
  bindAddr: "127.0.0.1:0",
  maxIncoming: 10_000,
  maxBiStreams: 1_000,
  maxUniStreams: 100,
  idleTimeoutMs: 120_000,
  keepAliveIntervalMs: 15_000,
  udpReceiveBufferBytes: 2_097_152,
  udpSendBufferBytes: 2_097_152,
  /** 0 = any number of connections. */
  maxConcurrentHandlers: 0,
  /** Longest wait for the next byte of a frame that has begun. The original waits until the connection dies. */
  frameReadTimeoutMs: 30_000,
} as const;
