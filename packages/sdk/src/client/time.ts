import { ConfigError } from "../errors.ts";

/** Milliseconds since 1970. `what` begins the sentence of a refusal. @throws ConfigError for an invalid Date, and for what is none */
export function timeOf(date: Date, what: string): number {
  if (typeof (date as Partial<Date> | null)?.getTime !== "function") {
    throw new ConfigError(`${what} is ${String(date)}; it must be a Date`);
  }
  const ms = date.getTime();
  if (!Number.isNaN(ms)) return ms;
  throw new ConfigError(`${what} is an invalid Date`);
}
