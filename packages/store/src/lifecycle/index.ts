/** The state machine of an instance: one table, one pure function. */
export {
  type LifecycleEffect,
  type LifecycleEvent,
  type LifecycleState,
  lifecycleEvents,
  type Move,
  type Outcome,
} from "./table.ts";
export { acceptingStatuses, isFinal, transition } from "./transition.ts";
