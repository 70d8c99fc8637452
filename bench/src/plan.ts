/** How long and how often things are measured. */
export interface Plan {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** What "a full store" holds. */
  readonly storedInstances: number;
  readonly storedCheckpoints: number;
  /** Checkpoints saved while statements and flushes are counted. */
  readonly countedCheckpoints: number;
  /** Checkpoints saved while the calls of fsync are counted, which is slow. */
  readonly tracedCheckpoints: number;
}

export const fullPlan: Plan = {
  rounds: 5,
  seconds: 3,
  warmupSeconds: 1,
  storedInstances: 1_000_000,
  storedCheckpoints: 10_000_000,
  countedCheckpoints: 20_000,
  tracedCheckpoints: 5_000,
};

/** To see that everything works; too short for figures that anyone should quote. */
export const quickPlan: Plan = {
  rounds: 1,
  seconds: 1,
  warmupSeconds: 0.5,
  storedInstances: 5_000,
  storedCheckpoints: 50_000,
  countedCheckpoints: 2_000,
  tracedCheckpoints: 500,
};

/** Payload of each checkpoint. */
export const stateBytes = 256;
