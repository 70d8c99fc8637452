// Processes that work for a core: a worker with many instances, or one process for each.

export type { Logger, Runtime, RuntimeOptions } from "../api/runtime.ts";
export { type ConnectedOperator, connectOperator } from "./connect-operator.ts";
export { type Environment, settingsFromEnv } from "./environment.ts";
export { loadWorkflow, loadWorkflows } from "./load-workflow.ts";
export type { Outcome, RunEvent } from "./outcome.ts";
export { type ImageOptions, runImage } from "./run-image.ts";
export { runInstance } from "./run-instance.ts";
export { serve } from "./serve.ts";
export type { ServeOptions, TlsOptions } from "./serve-options.ts";
export type { ConnectionOptions, RunInstanceOptions } from "./settings.ts";
