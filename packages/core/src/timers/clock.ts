import { limits } from "../limits.ts";

/** Time, as everything that waits sees it. A test brings its own, so that no test has to wait. */
export interface Clock {
  /** The wall clock in ms since the Unix epoch. It may jump. */
  now(): number;
  /**
   * Runs `action` once, about `delayMs` from now and never before this call returns; at the latest after `limits.timerMsMax`, so that callers
   * look at the clock again. The returned function gives it up; giving up twice, or too late, is nothing.
   */
  after(delayMs: number, action: () => void): () => void;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: Date.now,
  after: (delayMs, action) => {
    const timer = setTimeout(action, Math.min(Math.max(Math.ceil(delayMs), 0), limits.timerMsMax));
    return () => clearTimeout(timer);
  },
};
