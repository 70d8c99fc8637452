import { ConfigError } from "./config-error.ts";

/** `process.env`, or a plain object in its place. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The variable's text, or undefined where it is unset or empty. */
export function readOptionalString(env: Environment, variable: string): string | undefined {
  const value = env[variable];
  return value === undefined || value === "" ? undefined : value;
}

/** The variable's text, else `fallback`, else a `ConfigError` with code MISSING. */
export function readString(env: Environment, variable: string, fallback?: string): string {
  const value = readOptionalString(env, variable) ?? fallback;
  if (value === undefined) throw ConfigError.missing(variable);
  return value;
}

/** A port number, 0 to 65535 (0 lets the system choose). Throws `ConfigError` for anything else. */
export function readPort(env: Environment, variable: string, fallback: number): number {
  return readNumber(env, variable, fallback, 0, 65_535, "a valid port number");
}

/** A whole number from 0 up; 0 usually means "none" or "no limit". Throws `ConfigError` for anything else. */
export function readPositiveInteger(
  env: Environment,
  variable: string,
  fallback: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  return readNumber(
    env,
    variable,
    fallback,
    0,
    max,
    max < 2 ** 53 - 1 ? `a positive integer up to ${max}` : "a positive integer",
  );
}

/** A whole number between `min` and `max`, both included. Throws `ConfigError` for anything else. */
export function readInteger(env: Environment, variable: string, fallback: number, min: number, max: number): number {
  return readNumber(env, variable, fallback, min, max, `a whole number from ${min} to ${max}`);
}

/** `true`, `1`, `false` or `0`. Throws `ConfigError` for anything else. */
export function readBoolean(env: Environment, variable: string, fallback: boolean): boolean {
  const value = readOptionalString(env, variable);
  if (value === undefined) return fallback;
  if (value === "true" || value === "1") return true;
  if (value === "false" || value === "0") return false;
  throw ConfigError.invalid(variable, "true, 1, false or 0", value);
}

/** One of `choices`. Throws `ConfigError` that names them for anything else. */
export function readChoice<const Choice extends string>(
  env: Environment,
  variable: string,
  choices: readonly Choice[],
  fallback: Choice,
): Choice {
  const value = readOptionalString(env, variable);
  if (value === undefined) return fallback;
  const choice = choices.find((known) => known === value);
  if (choice === undefined) throw ConfigError.invalid(variable, `one of ${choices.join(", ")}`, value);
  return choice;
}

function readNumber(
  env: Environment,
  variable: string,
  fallback: number,
  min: number,
  max: number,
  form: string,
): number {
  const value = readOptionalString(env, variable);
  if (value === undefined) return fallback;
  const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number) || number < min || number > max) throw ConfigError.invalid(variable, form, value);
  return number;
}
