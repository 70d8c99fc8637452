/** What core does by itself when time passes, and the calls that wait for something. */
export { Background, type BackgroundOptions, type BackgroundTask } from "./background.ts";
export { type Clock, systemClock } from "./clock.ts";
export type { SignalInterest } from "./interests.ts";
export { Liveness, type LivenessOptions, type Sign, type SignSource } from "./liveness.ts";
export type { OpenPoll } from "./long-poll.ts";
export { type RetentionAges, RetentionService, type RetentionServiceOptions } from "./retention-service.ts";
export { SettleService, type SettleServiceOptions } from "./settle-service.ts";
export {
  type InstanceSignals,
  SignalWaiter,
  type SignalWaiterOptions,
  type WaitSignalsRequest,
} from "./signal-waiter.ts";
export { TimerService, type TimerServiceOptions } from "./timer-service.ts";
