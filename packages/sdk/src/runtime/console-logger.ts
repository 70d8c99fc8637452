import type { Logger } from "../api/runtime.ts";

/** The logger where none is given: warnings and errors, a line each, on standard error. */
export const consoleLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: (fields, message) => console.warn(lineOf(fields, message)),
  error: (fields, message) => console.error(lineOf(fields, message)),
};

function lineOf(fields: Readonly<Record<string, unknown>>, message: string): string {
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${shown(value)}`);
  return `runtara: ${message}${rest.join("")}`;
}

function shown(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
