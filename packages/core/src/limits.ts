/** Every bound of core in one place. */
export const limits = {
  /** An id, in bytes of UTF-8: what an index entry of either engine holds. */
  idBytesMax: 2_704,
  /** A sleep; what is asked beyond it sleeps that long (a hundred years), in ms. */
  sleepMsMax: 3_155_760_000_000,
  /** Longest single wait of a timer before it looks at the clock again, in ms; Node's own timers end at 2^31 - 1. */
  timerMsMax: 1_000_000_000,
  /** First and last client time that is kept, in ms: years -262143 and 262142, the calendar of the original. */
  eventTimeMsMin: -8_334_601_228_800_000,
  eventTimeMsMax: 8_210_266_876_799_999,
  /** How long `close` waits for calls that are being carried out, in ms. */
  drainMs: 5_000,
} as const;
