// Workflows in this process, on a database alone.

export type { Client, Handle, ListFilter, Schedule, StartOptions, Status } from "../api/client.ts";
export type { Logger, Runtime, RuntimeOptions } from "../api/runtime.ts";
export { type EmbeddedSdkOptions, embeddedSdk } from "./embedded-sdk.ts";
export { open } from "./open.ts";
export type { OpenOptions } from "./options.ts";
