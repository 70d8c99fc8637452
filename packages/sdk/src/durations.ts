import { ContextError } from "./errors.ts";
import { limits } from "./limits.ts";

/** A length of time. A number is milliseconds; decimals are allowed (`"1.5h"`). */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d" | "w"}`;

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const form = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/;

/** Milliseconds of a duration, whole. `what` names the setting in the error.
 *  @throws ContextError for anything that is no duration, is negative or longer than `durationMsMax` */
export function durationMs(duration: unknown, what: string): number {
  const ms = typeof duration === "string" ? parse(duration) : duration;
  if (typeof ms !== "number" || !(ms >= 0) || ms > limits.durationMsMax) {
    throw new ContextError(
      `${what} is ${show(duration)}; it must be a number of milliseconds from 0 to ${limits.durationMsMax}, or a text such as "500ms", "30s", "5m", "24h", "7d" or "2w"`,
    );
  }
  return Math.round(ms);
}

function parse(text: string): number {
  const match = form.exec(text);
  return match ? Number(match[1]) * unitMs[match[2] as keyof typeof unitMs] : Number.NaN;
}

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
