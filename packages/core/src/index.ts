/** Runtara's core: the instance protocol as services on plain objects over a store. Its server is in `@runtara/core/server`. */
export { type Answer, answered } from "./answer.ts";
export type { CheckpointService } from "./checkpoint-service.ts";
export { type Core, type CoreOptions, createCore } from "./core.ts";
export { CoreError, type CoreErrorCode } from "./core-error.ts";
export { type Deadline, DeadlineQueue } from "./deadline-queue.ts";
export type { LifecycleService } from "./lifecycle-service.ts";
export { limits as coreLimits } from "./limits.ts";
export type * from "./requests.ts";
export type { SignalService } from "./signal-service.ts";
export type { OpenSleep, SleepService } from "./sleep-service.ts";
export { acceptingStatuses, isFinal, type Move, move, type Trigger, transitionsOf, triggers } from "./state-machine.ts";
