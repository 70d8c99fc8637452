import type { RuntimeOptions } from "../api/runtime.ts";
import { type Duration, durationMs } from "../durations.ts";
import { ConfigError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { RuntimeSettings } from "./runtime.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What `open` and `serve` have in common, complete. Code wins over environment, environment over default.
 *  @throws ConfigError naming the setting and its value */
export function runtimeSettings(
  options: RuntimeOptions & { readonly lease?: Duration },
  env: Environment = process.env,
): { readonly tenantId: string; readonly settings: RuntimeSettings } {
  const { suspendAfter, drain, lease, concurrency, guard = false, strictTurns = false } = options;
  return {
    tenantId: checkedId("tenantId", options.tenantId ?? textOf(env, "RUNTARA_TENANT_ID") ?? "default"),
    settings: {
      suspendAfterMs: settingMs("suspendAfter", suspendAfter, limits.suspendAfterMsDefault),
      drainMs: settingMs("drain", drain, limits.drainMsDefault),
      leaseMs: leaseMsOf(lease),
      instancesMax: count(
        "concurrency.instances",
        concurrency?.instances,
        limits.instancesDefault,
        limits.instancesMax,
      ),
      stepsMax: count("concurrency.steps", concurrency?.steps, limits.concurrentStepsDefault),
      guard,
      strictTurns,
    },
  };
}

/** A duration of the options. @throws ConfigError */
export function settingMs(name: string, duration: Duration | undefined, defaultMs: number): number {
  if (duration === undefined) return defaultMs;
  try {
    return durationMs(duration, name);
  } catch (cause) {
    throw new ConfigError((cause as Error).message, { cause });
  }
}

/** An id of the options. @throws ConfigError */
export function checkedId(name: string, id: unknown): string {
  if (typeof id === "string" && id !== "" && !id.includes("\0")) return id;
  throw new ConfigError(`${name} is ${JSON.stringify(id)}; it must be text that is not empty, without U+0000`);
}

/** What a variable says; an empty one says nothing. */
export function textOf(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === "" ? undefined : value;
}

function leaseMsOf(lease: Duration | undefined): number {
  const leaseMs = settingMs("lease", lease, limits.leaseMsDefault);
  if (leaseMs >= limits.leaseMsMin && leaseMs <= limits.leaseMsMax) return leaseMs;
  throw new ConfigError(`lease is ${lease}; it must be ${limits.leaseMsMin} to ${limits.leaseMsMax} ms`);
}

function count(name: string, value: number | undefined, defaultCount: number, max = Number.MAX_SAFE_INTEGER): number {
  if (value === undefined) return defaultCount;
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return value;
  const bound = max === Number.MAX_SAFE_INTEGER ? "" : `, at most ${max}`;
  throw new ConfigError(`${name} is ${value}; it must be a whole number from 1 on${bound}`);
}
