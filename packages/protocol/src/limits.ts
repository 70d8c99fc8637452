/** Every bound of this package. Nothing else in it writes a number that limits bytes, count or time. */
export const limits = {
  /** Payload of one frame, both directions, inclusive (spec 1.5). */
  framePayloadBytesMax: 67_108_864,
  /** Least that a server's own limit for it may be: room for the errors that explain themselves. */
  framePayloadBytesMaxMin: 4_096,
  /** Length (4) and type (2) in front of each payload (spec 1.5). */
  frameHeaderBytes: 6,
  /** Highest frame type that is valid (spec 1.5). */
  frameTypeMax: 6,
  /** Nesting of messages and unknown groups in one payload. Deeper input is refused. */
  nestingMax: 100,
  /** Nested messages, map entries and list items in one payload: 64 MiB of empty ones would become gigabytes of objects. */
  nestedMessagesMax: 250_000,
  /** Lengths that the encoder keeps room for from one message to the next. */
  sizesKeptMax: 65_536,
  /** Memory transport: bytes that wait unread in one direction of a stream. */
  memoryUnreadBytesMax: 1_048_576,
  /** Memory transport: bytes of the pieces that they travel in. */
  memoryPieceBytesMax: 65_536,
  /** Memory transport: first port that is given out, as the ephemeral ones of a system. */
  memoryPortMin: 49_152,
  /** Memory transport: last port that is given out; then it begins again. */
  portMax: 65_535,
  /** Bodies: pieces in which a source's bytes are handed over, which are also the steps of its progress. */
  bodyPieceBytesMax: 262_144,
  /** Bodies: bytes that a WritableStream holds before its writer is asked to wait. */
  bodyQueuedBytesMax: 262_144,
  /** Largest value of most options: what their fields in QUIC and in 1.4.1's configuration hold. */
  uint32Max: 4_294_967_295,
  /** Of a value that cannot be meant, an error shows this much. */
  shownCharactersMax: 60,
  /** The longest timer that Node has, 24.8 days. */
  timerMsMax: 2_147_483_647,
  /** Fields with this number or above are extensions; those of 1.4.1 are below. */
  extensionNumberMin: 100,
  /** A drain closes the connection of a client without extensions this long after its last answer, which must leave first. */
  farewellMs: 250,
  /** An acknowledgement up to this size is carried out however loaded the server is. */
  acknowledgementBytesMax: 4_096,
  /** What a raw stream may keep unread, and what it therefore counts among the bytes in flight. */
  streamUnreadBytesMax: 1_048_576,
  /** How often a server looks for what the network has turned away by itself. */
  turnedAwayPollMs: 1_000,
  /** Code with which a stalled raw stream is stopped and reset. */
  stalledStreamCode: 1,
  /** Code with which a call is reset that was not carried out and whose client reads no error: its end would say "done". */
  undoneCallCode: 2,
  /** Hint to refused clients: the shortest, before it is jittered by up to half. */
  retryAfterMsMin: 50,
  /** Hint to refused clients: the longest. */
  retryAfterMsMax: 5_000,
  /** Hint to refused clients: for so many refusals of late it grows by `retryAfterMsMin`. */
  refusalsPerStep: 100,
  /** Refusals count half as much after this long. */
  refusalHalfLifeMs: 1_000,
  /** Resolved addresses of one host name that are tried. */
  addressesTriedMax: 8,
  /** The next address is tried after this long without an answer (RFC 8305 section 5). */
  nextAddressMs: 250,
  /** "auto": QUIC alone has this long, or half of the connect time-out if that is less, before HTTP/2 is tried beside it. */
  autoHeadStartMs: 500,
  /** "auto": HTTP/2 is kept this long before QUIC is tried again. */
  autoKeepMs: 300_000,
  /** Both transports on one port: how often another free port is tried when its TCP half is taken. */
  portTriesMax: 32,
  /** Their connections are told apart by this: QUIC counts with 32 bits. */
  secondConnectionIdsFrom: 4_294_967_296,
  /** HTTP/2: what a peer may send of one stream before it must wait for us. */
  http2StreamWindowBytes: 786_432,
  /** HTTP/2: what a peer may send of all streams of a connection before it must wait for us. */
  http2ConnectionWindowBytes: 16_777_216,
  /** HTTP/2: bytes that a stream keeps for its reader; with the window they make the 1 MiB of the port. */
  http2UnreadBytesMax: 262_144,
  /** HTTP/2: bytes that a stream takes from its writer before that must wait. */
  http2UnsentBytesMax: 1_048_576,
  /** HTTP/2: bytes of the pieces that they go in. */
  http2PieceBytesMax: 262_144,
  /** HTTP/2: frames above this reserve their length among the half-read ones of their connection. */
  http2SmallFrameBytes: 65_536,
  /** HTTP/2: what half-read frames of a connection may hold together. */
  http2ConnectionBufferBytesMax: 134_217_728,
  /** HTTP/2: headers of a request or answer; ours have under 200 bytes. */
  http2HeaderBytesMax: 4_096,
  /** HTTP/2: entries of a SETTINGS frame. */
  http2SettingsMax: 32,
  /** HTTP/2: frames that make no sense, on one connection. */
  http2InvalidFramesMax: 50,
  /** HTTP/2: memory that Node's session of a connection may hold, in MB. */
  http2SessionMemoryMb: 32,
  /** HTTP/2: streams that a client may reset at once; beyond, the connection is ended. */
  http2ResetsBurst: 10_000,
  /** HTTP/2: streams that a client may reset per second for ever. */
  http2ResetsPerSecond: 1_000,
  /** HTTP/2: streams that our own clients reset at once at most, to stay below that. */
  http2ClientResetsBurst: 9_000,
  /** HTTP/2: streams that our own clients reset per second at most, to stay below that. */
  http2ClientResetsPerSecond: 900,
  /** HTTP/2: until TLS stands. */
  http2HandshakeMs: 10_000,
  /** HTTP/2: for the last bytes of a connection that is closed; then its socket is cut. */
  http2CloseMs: 1_000,
  /** HTTP/2: for answers to leave before a connection is closed. */
  http2AnswersLeaveMs: 250,
  /** HTTP/2: how often a call is begun again that the server has refused for want of a free stream. */
  http2RefusalsMax: 20,
  /** HTTP/2: an answered call whose stream has not ended by then is cut. */
  http2StreamEndMs: 250,
  /** HTTP/2: TCP connections that the system keeps until they are accepted. */
  http2BacklogMax: 4_096,
  /** HTTP/2: text in GOAWAY. */
  http2ReasonBytesMax: 1_024,
  /** HTTP/2: what a stream throws away after its reader has stopped, before the peer must wait. */
  http2IgnoredBytesMax: 4_194_304,
  /** HTTP/2: PINGs without an answer; each stop is one. */
  http2PingsMax: 1_000,
  /** HTTP/2: an answer that would wait is reset, or its connection closed, with this code, as over QUIC. */
  http2UnreadCode: 2,
  /** HTTP/2: the last stream of a connection (RFC 9113 section 5.1.1). */
  http2StreamIdMax: 2_147_483_647,
  /** HTTP/2 has 32 bits for a reset code; the lower half is its own. */
  http2ResetCodeMax: 2_147_483_647,
  /** TLS: bytes of a PEM file that is read. */
  pemBytesMax: 1_048_576,
  /** TLS: how often a server looks whether its PEM files have changed. */
  pemPollMs: 5_000,
  /** A certificate with fewer days left is worth a warning at the start. */
  pemWarnDaysLeft: 14,
  /** The identity that a server makes itself: its life. */
  identityDays: 3_650,
  /** The identity that a server makes itself: with fewer days left it is renewed. */
  identityRenewDaysLeft: 30,
  /** The identity that a server makes itself: how often a running server looks at its age. */
  identityCheckMs: 43_200_000,
  /** A day. */
  dayMs: 86_400_000,
  /** RFC 9000 section 10.3; what @runtara/quic takes. */
  resetKeyBytes: 32,
  /** Messages in log lines: the whole, one text, one list or map, and the bytes of an image that are shown. */
  logJson: { charactersMax: 4_096, charactersMin: 64, textCharactersMax: 200, itemsMax: 10, prefixBytes: 8 },
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
  /** QUIC: connections and pending handshakes; 0 = any number. */
  maxConnections: 0,
  /** QUIC: until a client has shown that it is one. */
  handshakeTimeoutMs: 10_000,
  /** Answers that wait because their clients do not read, of all connections and of one. */
  maxUnsentBytes: 1_073_741_824,
  maxConnectionUnsentBytes: 134_217_728,
  /** Longest wait for the next byte of a frame that has begun. The original waits until the connection dies. */
  frameReadTimeoutMs: 30_000,
  /** Calls without an answer, of all connections; sleeping ones count. 0 = any number. */
  maxOpenCalls: 100_000,
  /** Request payloads of calls without an answer, of all connections; 0 = any amount. */
  maxBytesInFlight: 1_073_741_824,
  /** The same for one connection: two frames of the largest size. */
  maxConnectionBytesInFlight: 134_217_728,
  /** Payload of a request frame (spec 1.5). */
  maxFrameBytes: 67_108_864,
  /** From a call's arrival to its answer; 0 = none. Not for calls that wait on purpose. */
  requestTimeoutMs: 60_000,
  /** Longest pending read or write of a raw stream; 0 = none. */
  progressTimeoutMs: 30_000,
  /** Faults of one kind are reported at most this often; 0 = each one. */
  faultIntervalMs: 1_000,
  /** How long `drain` waits for calls that are under way. */
  drainGraceMs: 5_000,
} as const;
