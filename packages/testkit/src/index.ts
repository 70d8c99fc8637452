/** Tests of durable workflows: a clock that skips, crashes at every commit, random schedules, replays. Imports no test runner. */
export { createTest } from "./create-test.ts";
export { everyCrash } from "./every-crash.ts";
export { randomSchedules } from "./random-schedules.ts";
export { replay } from "./replay.ts";
export type {
  Drive,
  EveryCrashOptions,
  RandomSchedulesOptions,
  RepeatOptions,
  Report,
  StepSummary,
  TestOptions,
  TestRuntime,
} from "./types.ts";
