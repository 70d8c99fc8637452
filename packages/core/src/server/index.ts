/** The core server: core's services on the instance protocol and the management protocol, probes and metrics. */
export { type CoreConfig, coreConfigFromEnv } from "./config.ts";
export { startCore } from "./start.ts";
export type { CoreServer, StartCoreOptions } from "./start-options.ts";
