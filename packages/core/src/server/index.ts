/** The core server: core's services on the instance protocol over QUIC. */
export { type CoreConfig, coreConfigFromEnv } from "./config.ts";
export { type CoreServer, type CoreServerOptions, startCoreServer } from "./start.ts";
