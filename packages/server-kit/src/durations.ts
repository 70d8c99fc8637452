import { ConfigError } from "./config-error.ts";
import { type Environment, readOptionalString } from "./environment-variables.ts";
import { limits } from "./limits.ts";

const unitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * A duration like `90m` or `30d` (ms, s, m, h, d, w) in ms; undefined where the variable is unset or empty. Throws `ConfigError` for
 * anything else, zero and more than a hundred years included.
 */
export function readDuration(env: Environment, variable: string): number | undefined {
  const text = readOptionalString(env, variable);
  if (text === undefined) return undefined;
  const [, digits = "", unit = ""] = /^(\d+)(ms|s|m|h|d|w)$/.exec(text) ?? [];
  const durationMs = Number(digits) * (unitsMs[unit] ?? Number.NaN);
  if (!(durationMs > 0 && durationMs <= limits.durationMsMax)) {
    throw ConfigError.invalid(variable, "a duration such as 90m, 12h or 30d, at most a hundred years", text);
  }
  return durationMs;
}
