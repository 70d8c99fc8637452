/** Every bound of the test kit in one place. */
export const limits = {
  /** Turns of the event loop in a row in which nothing moves, after which the runtime counts as idle. */
  quietTurns: 3,
  /** Turns of the event loop in a row in which nothing begins though something is under way; from then on bodies are given real time. */
  stillTurnsMax: 50,
  /** Real time between two looks at a body that takes its time, in ms. */
  lookMs: 1,
  /** Real time after which a body that still runs is an error, in ms. */
  bodyMsMax: 10_000,
  /** Real time in which nothing moves while somebody waits for a result, after which that is an error, in ms. */
  stuckMs: 3_000,
  /** Real time between two looks at that, in ms. */
  stuckLookMs: 50,
  /** Real time that a workflow gets which awaits something that is not durable, in ms. */
  foreignMs: 250,
  /** Virtual time after which the runtime puts an idle instance away, in ms. */
  restMs: 1_000,
  /** Lease of the kit's worker, in ms; the longest that core takes. */
  leaseMs: 300_000,
  /** Due within this time: an instance stays in memory, in ms. */
  suspendAfterMs: 5_000,
  /** Jumps of the clock in one drive of `everyCrash`. */
  jumpsMax: 10_000,
  /** Pairs of crashes that are drawn by seed. */
  pairs: 200,
  /** Runs of `randomSchedules` where none are named. */
  scheduleRuns: 100,
  /** Turns that a body, or an answer of the store, is held back at most in a random schedule. */
  shuffleTurnsMax: 4,
} as const;
