import type { Store } from "@runtara/store";
import { BatchService } from "./checkpoints/batch-service.ts";
import { CheckpointService } from "./checkpoints/checkpoint-service.ts";
import { OwnCheckpointsService } from "./checkpoints/own-checkpoints.ts";
import type { DeadlineQueue } from "./deadline-queue.ts";
import { EventService } from "./life/event-service.ts";
import { SleepService } from "./life/sleep-service.ts";
import { StatusService } from "./life/status-service.ts";
import { SuspendService } from "./life/suspend-service.ts";
import { limits } from "./limits.ts";
import { RegistrationService } from "./registration/registration-service.ts";
import { SignalService } from "./signals/signal-service.ts";
import { Background, type BackgroundOptions, type Clock, SignalWaiter, systemClock } from "./timers/index.ts";
import { WorkService } from "./work/index.ts";

export interface CoreOptions extends Partial<Pick<BackgroundOptions, "retention" | "onTrouble">> {
  readonly store: Store;
  /** The wall clock and its timers; the system's unless a test brings its own. */
  readonly clock?: Clock;
  /** For open sleeps; one of its own unless a test brings it. */
  readonly deadlines?: DeadlineQueue;
  /** Refuse to register instances of another tenant. Default: false. */
  readonly tenantChecks?: boolean;
  /** Silence after which an instance that nobody launched counts as lost, in ms; 0 = never. Default: 120,000. */
  readonly staleAfterMs?: number;
  /** Longest state of a checkpoint, in bytes. Default: whatever a frame holds. */
  readonly stateBytesMax?: number;
  /** Instances that may run at once through claims; 0 = any number, the default. */
  readonly runningMax?: number;
}

/**
 * The instance protocol on one store. Its background work begins with `start` and ends with `close`; the services work without it, but
 * then no time-out fires and nothing that follows from an end is carried out.
 */
export interface Core {
  readonly registration: RegistrationService;
  readonly checkpoints: CheckpointService;
  readonly batches: BatchService;
  readonly ownCheckpoints: OwnCheckpointsService;
  readonly events: EventService;
  readonly status: StatusService;
  readonly suspension: SuspendService;
  readonly signals: SignalService;
  readonly sleeps: SleepService;
  readonly waiter: SignalWaiter;
  readonly work: WorkService;
  readonly background: Background;
  readonly clock: Clock;
  /** As configured; undefined = whatever a frame holds. */
  readonly stateBytesMax: number | undefined;
  /** Begins what core does by itself: timers, settlements, liveness, retention. */
  start(): void;
  /** Answers open polls empty and cuts open sleeps, whose records stay. Idempotent. */
  drain(): void;
  /** Drains, and resolves once the background work is over. The store stays open. Idempotent. */
  close(): Promise<void>;
}

export function createCore(options: CoreOptions): Core {
  const { store, clock = systemClock, staleAfterMs = limits.staleAfterMs, stateBytesMax } = options;
  const { retention, onTrouble } = options;
  const background = new Background({
    store,
    clock,
    staleAfterMs,
    ...(retention === undefined ? {} : { retention }),
    ...(onTrouble === undefined ? {} : { onTrouble }),
  });
  const now = () => clock.now();
  const settle = () => background.settle.wake();
  const sleeps = new SleepService(store, now, options.deadlines);
  const waiter = new SignalWaiter({ store, clock, liveness: background.liveness });
  const work = new WorkService({ store, clock, runningMax: options.runningMax ?? 0 });
  const drain = () => {
    sleeps.close();
    waiter.drain();
    work.drain();
    store.flush();
  };
  const longestState = stateBytesMax ?? Number.POSITIVE_INFINITY;
  return {
    registration: new RegistrationService(store, {
      now,
      tenantChecks: options.tenantChecks ?? false,
      staleAfterMs: background.liveness.judgedAfterMs,
    }),
    checkpoints: new CheckpointService(store, now, longestState),
    batches: new BatchService(store, now, longestState),
    ownCheckpoints: new OwnCheckpointsService(store),
    events: new EventService(store, now, settle),
    status: new StatusService(store),
    suspension: new SuspendService(store, now),
    signals: new SignalService(store, now, settle),
    sleeps,
    waiter,
    work,
    background,
    clock,
    stateBytesMax,
    start: () => background.start(),
    drain,
    async close() {
      drain();
      await background.stop();
      await work.close();
      waiter.close();
    },
  };
}
