// The low-level SDK: the instance's calls one to one (spec 10), and durable functions (spec 11).

export type { SdkConfig } from "./config.ts";
export { type DurableDecorator, type DurableFunction, type DurableOptions, durable } from "./durable.ts";
export { SdkError, type SdkErrorCode } from "./errors.ts";
export type { InstanceSdk } from "./instance-sdk.ts";
export { registerSdk, sdk, stopHeartbeat, trySdk } from "./registry.ts";
export { RuntaraSdk } from "./sdk.ts";
export type { CheckpointResult, Signal, SignalType, Status, StatusResponse } from "./types.ts";
