// For test kits and the command: a runtime of which every part is given, replays without one, and histories as files. No promise is made
// about it between versions.
export type {
  AnyHandle,
  Args,
  Client,
  Handle,
  InstanceSummary,
  ListFilter,
  Schedules,
  StartOptions,
} from "../api/client.ts";
export type { Entry } from "../api/history.ts";
export type { Logger, Runtime } from "../api/runtime.ts";
export type { StepContext } from "../api/step.ts";
export type { AnyWorkflow, InputOf, OutputOf } from "../api/workflow.ts";
export { type Duration, durationMs } from "../durations.ts";
export type { Activity, Clock } from "../ports/clock.ts";
export type { EngineEvent, RunHooks } from "../run/control.ts";
export { isWorkflow } from "../workflow.ts";
export { type ClientConnection, type ClientConnectionParts, openClient } from "./client.ts";
export { exportHistory, type OpenOperator, openOperator, resumeInstance } from "./operators.ts";
export { type Process, type ProcessParts, startProcess } from "./process.ts";
export { type ReplayVerdict, replayHistory, workflowOfHistory } from "./replay.ts";
