/** Runtara's core: the instance protocol as services on plain objects over a store. Its server is in `@runtara/core/server`. */
export { type Answer, answered } from "./answer.ts";
export type * from "./checkpoints/index.ts";
export { type Core, type CoreOptions, createCore } from "./core.ts";
export { CoreError, type CoreErrorCode, type Repeatable } from "./core-error.ts";
export { type Deadline, DeadlineQueue } from "./deadline-queue.ts";
export type * from "./life/index.ts";
export { limits as coreLimits } from "./limits.ts";
export * from "./management/index.ts";
export type { OwnCall } from "./refusals.ts";
export type * from "./registration/index.ts";
export type * from "./signals/index.ts";
export * from "./timers/index.ts";
export * from "./work/index.ts";
