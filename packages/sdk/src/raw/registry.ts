import { slot } from "../slot.ts";
import { SdkError } from "./errors.ts";
import type { InstanceSdk } from "./instance-sdk.ts";

/** Makes this the process's SDK, which `durable` functions use, and sends its heartbeats in the background.
 *  @throws SdkError Internal when there is one already */
export function registerSdk(sdk: InstanceSdk): void {
  const shared = slot();
  if (shared.raw) throw new SdkError("Internal", "SDK already registered. register_sdk() should only be called once.");
  shared.raw = { sdk, heartbeat: startHeartbeat(sdk) };
}

/** @throws SdkError Internal when there is none */
export function sdk(): InstanceSdk {
  const registered = trySdk();
  if (!registered) throw new SdkError("Internal", "No SDK registered. Call register_sdk() at application startup.");
  return registered;
}

export function trySdk(): InstanceSdk | undefined {
  return slot().raw?.sdk as InstanceSdk | undefined;
}

/** Ends the background heartbeat; it can't be started again. Does nothing when there is none. */
export function stopHeartbeat(): void {
  clearInterval(slot().raw?.heartbeat);
}

/** The SDK was closed: if it was the process's, there is none any more. */
export function forgetSdk(sdk: InstanceSdk): void {
  const shared = slot();
  if (shared.raw?.sdk !== sdk) return;
  stopHeartbeat();
  delete shared.raw;
}

function startHeartbeat(sdk: InstanceSdk): NodeJS.Timeout | undefined {
  if (sdk.heartbeatIntervalMs === 0) return undefined;
  const beat = (): void => {
    sdk.heartbeat().catch((error: Error) => {
      // One that was under way when the SDK was closed is no news.
      if (trySdk() === sdk) process.emitWarning(`heartbeat: ${error.message}`);
    });
  };
  // It must not keep a process alive that has nothing else to do.
  return setInterval(beat, sdk.heartbeatIntervalMs).unref();
}
