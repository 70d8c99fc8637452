import type { Cron } from "croner";
import { CoreError } from "../core-error.ts";
import { limits } from "../limits.ts";

/** The times of a cron text in a time zone, in ms since the Unix epoch. */
export interface CronTimes {
  /** The first one behind `afterMs`; undefined = none in the years that are looked at. */
  next(afterMs: number): number | undefined;
  /** The last one before `beforeMs`. */
  last(beforeMs: number): number | undefined;
}

let loaded: Promise<typeof Cron> | undefined;
const known = new Map<string, CronTimes>();

/**
 * Reads a cron text of five or six fields. What falls into a gap of the clock happens right behind it, what happens twice in an hour that is
 * repeated happens once; texts whose minutes or hours are a wildcard or a step go by the time that passes.
 *
 * @throws CoreError VALIDATION_ERROR
 */
export async function cronTimes(cron: string, timezone: string): Promise<CronTimes> {
  const key = `${timezone}\0${cron}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  refuseOthers(cron, timezone);
  loaded ??= import("croner").then((module) => module.Cron);
  const times = read(await loaded, cron, timezone);
  if (known.size >= limits.cronTimesMax) known.clear();
  known.set(key, times);
  return times;
}

function read(Reader: typeof Cron, text: string, timezone: string): CronTimes {
  let cron: Cron;
  try {
    cron = new Reader(text, { paused: true, timezone, mode: "5-or-6-parts", fixedTimeRule: "no-wildcard" });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw CoreError.validation("cron", `'${text}' is no cron text (${why}); give five fields, as in '30 3 * * *'`);
  }
  return {
    next: (afterMs) => cron.nextRun(new Date(afterMs))?.getTime(),
    last: (beforeMs) => cron.previousRuns(1, new Date(beforeMs))[0]?.getTime(),
  };
}

function refuseOthers(cron: string, timezone: string): void {
  if (cron.length > limits.cronCharactersMax) {
    const many = `cron has ${cron.length} characters; at most ${limits.cronCharactersMax} are allowed`;
    throw CoreError.validation("cron", many);
  }
  const fields = cron.trim().split(/\s+/).length;
  if (fields !== 5 && fields !== 6) {
    const count = `'${cron}' has ${fields} fields; give five (from the minute on) or six (from the second on)`;
    throw CoreError.validation("cron", count);
  }
  if (!isTimeZone(timezone)) {
    const unknown = `'${timezone}' is no time zone that this server knows; give an IANA name, as in 'Europe/Berlin'`;
    throw CoreError.validation("timezone", unknown);
  }
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
