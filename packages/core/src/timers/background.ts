import type { Store, StoreError } from "@runtara/store";
import { ScheduleService } from "../schedules/index.ts";
import { type Clock, systemClock } from "./clock.ts";
import { Liveness } from "./liveness.ts";
import { type RetentionAges, RetentionService } from "./retention-service.ts";
import { SettleService } from "./settle-service.ts";
import { TimerService } from "./timer-service.ts";

export type BackgroundTask = "timers" | "settle" | "liveness" | "retention" | "schedules";

export interface BackgroundOptions {
  readonly store: Store;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Silence after which an instance that nobody launched is lost, in ms; 0 = never. */
  readonly staleAfterMs: number;
  /** Default: everything is kept. */
  readonly retention?: RetentionAges;
  /** The store has failed a task, which goes on by itself. Told for each failure. */
  readonly onTrouble?: (task: BackgroundTask, error: StoreError) => void;
}

/** Everything that core does by itself on a store. Any number of processes may do it on one database. */
export class Background {
  readonly liveness: Liveness;
  readonly settle: SettleService;
  readonly timers: TimerService;
  readonly retention: RetentionService;
  readonly schedules: ScheduleService;

  constructor({ store, clock = systemClock, staleAfterMs, retention = {}, onTrouble }: BackgroundOptions) {
    const common = (task: BackgroundTask) => ({
      store,
      clock,
      onTrouble: (error: StoreError) => onTrouble?.(task, error),
    });
    this.liveness = new Liveness({ ...common("liveness"), staleAfterMs });
    this.settle = new SettleService(common("settle"));
    const { liveness, settle } = this;
    this.timers = new TimerService({ ...common("timers"), liveness, settle });
    this.retention = new RetentionService({ ...common("retention"), ages: retention });
    this.schedules = new ScheduleService(common("schedules"));
  }

  /** Looks at once for what was left open, then works whenever something is due. */
  start(): void {
    this.settle.start();
    this.timers.start();
    this.retention.start();
    this.schedules.start();
  }

  /** Begins nothing any more. Resolves when what is under way is over; to be awaited before the store is closed. Idempotent. */
  async stop(): Promise<void> {
    await Promise.all([this.timers.stop(), this.settle.stop(), this.retention.stop(), this.schedules.stop()]);
    await this.liveness.stop();
  }
}
