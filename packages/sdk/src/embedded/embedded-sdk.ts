import type { Store } from "@runtara/store";
import { limits } from "../limits.ts";
import { InstanceSdk } from "../raw/instance-sdk.ts";
import { LocalRawCalls } from "./local-raw-calls.ts";

export interface EmbeddedSdkOptions {
  /** `pollSignal` asks the store at most this often, in ms. Default 1,000. */
  signalPollIntervalMs?: number;
  /** Of the heartbeats after `init`, in ms. Default 30,000; 0 = none. */
  heartbeatIntervalMs?: number;
}

/**
 * The low-level SDK of `@runtara/sdk/raw` for one instance, on a database instead of a server. `store`: its URL, opened by the first call and
 * closed by `close`, or an open store, which stays open. Every call fails with an `SdkError` alone, whose texts are those of a server.
 * Registering takes the instance from whoever has registered it before.
 */
export function embeddedSdk(
  store: string | Store,
  instanceId: string,
  tenantId: string,
  options: EmbeddedSdkOptions = {},
): InstanceSdk {
  const {
    signalPollIntervalMs = limits.signalPollIntervalMsDefault,
    heartbeatIntervalMs = limits.heartbeatIntervalMsDefault,
  } = options;
  const instance = { instanceId, tenantId };
  return new InstanceSdk(
    { ...instance, signalPollIntervalMs, heartbeatIntervalMs },
    new LocalRawCalls(store, instance),
  );
}
