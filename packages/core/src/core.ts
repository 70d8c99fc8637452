import type { Store } from "@runtara/store";
import { CheckpointService } from "./checkpoint-service.ts";
import type { DeadlineQueue } from "./deadline-queue.ts";
import { LifecycleService } from "./lifecycle-service.ts";
import { SignalService } from "./signal-service.ts";
import { SleepService } from "./sleep-service.ts";

export interface CoreOptions {
  readonly store: Store;
  /** The wall clock in ms since the Unix epoch; `Date.now` unless a test brings its own. */
  readonly now?: () => number;
  readonly deadlines?: DeadlineQueue;
}

/** The services of the instance protocol on one store. */
export interface Core {
  readonly lifecycle: LifecycleService;
  readonly checkpoints: CheckpointService;
  readonly signals: SignalService;
  readonly sleeps: SleepService;
}

export function createCore({ store, now = Date.now, deadlines }: CoreOptions): Core {
  return {
    lifecycle: new LifecycleService(store, now),
    checkpoints: new CheckpointService(store, now),
    signals: new SignalService(store, now),
    sleeps: new SleepService(store, now, deadlines),
  };
}
