/** Every bound of this package. */
export const limits = {
  /** HTTP for probes and metrics: connections. */
  httpConnectionsMax: 256,
  /** HTTP for probes and metrics: bytes of a request's headers. */
  httpHeaderBytesMax: 8_192,
  /** HTTP for probes and metrics: for a request's headers, and for all of it. */
  httpRequestMs: 10_000,
  /** HTTP for probes and metrics: how long a connection is kept without a request. */
  httpKeepAliveMs: 15_000,
  /** Label sets that one metric keeps; what comes after them is counted under "other". */
  labelSetsMax: 1_000,
  /** How often the delay of the event loop is looked at, in ms. */
  loopDelayMs: 20,
  /** Shortest time between two log lines of errors that nobody has caught. */
  faultQuietMs: 1_000,
  /** Causes of one error that a log entry shows. */
  loggedCausesMax: 8,
  /** Longest duration that a variable may name: a hundred years. */
  durationMsMax: 3_155_760_000_000,
} as const;
