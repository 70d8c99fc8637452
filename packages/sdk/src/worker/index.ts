// Running instances of workflows as processes over the base protocol.

export { type Environment, settingsFromEnv } from "./environment.ts";
export { loadWorkflow } from "./load-workflow.ts";
export type { Outcome, RunEvent } from "./outcome.ts";
export { runImage } from "./run-image.ts";
export { runInstance } from "./run-instance.ts";
export type { ConnectionOptions, RunInstanceOptions } from "./settings.ts";
