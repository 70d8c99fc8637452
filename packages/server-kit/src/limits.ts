/** Every bound of this package. */
export const limits = {
  /** HTTP for probes and metrics: connections, bytes of a request's headers, and the time for them. */
  httpConnectionsMax: 256,
  httpHeaderBytesMax: 8_192,
  httpRequestMs: 10_000,
  httpKeepAliveMs: 15_000,
  /** Label sets that one metric keeps; what comes after them is counted under "other". */
  labelSetsMax: 1_000,
  /** How often the delay of the event loop is looked at, in ms. */
  loopDelayMs: 20,
  /** Shortest time between two log lines of errors that nobody has caught. */
  faultQuietMs: 1_000,
  /** Longest duration that a variable may name: a hundred years. */
  durationMsMax: 3_155_760_000_000,
} as const;
