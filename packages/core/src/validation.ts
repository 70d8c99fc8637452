import { CoreError } from "./core-error.ts";
import { limits } from "./limits.ts";

/** Whether either engine can hold the text as an id. The check of the length alone settles nearly every id. */
export function isStorableId(id: string): boolean {
  const short = id.length * 3 <= limits.idBytesMax || Buffer.byteLength(id) <= limits.idBytesMax;
  return short && !id.includes("\0");
}

/** Why `isStorableId` said no. */
export function unstorableId(field: string, id: string): CoreError {
  if (id.includes("\0")) return CoreError.validation(field, `${field} must not contain U+0000`);
  const bytes = Buffer.byteLength(id);
  return CoreError.validation(field, `${field} has ${bytes} bytes; at most ${limits.idBytesMax} are allowed`);
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The error text of a failed instance (spec 2.7). No engine has to hold U+0000: the failure must be recorded whatever its text is. */
export function failureText(payload: Uint8Array): string {
  if (payload.byteLength === 0) return "Unknown error";
  try {
    return utf8.decode(payload).replaceAll("\0", "\u{FFFD}");
  } catch {
    return "Unknown error (binary payload)";
  }
}

/** The client's time where it lies in the calendar, else ours. */
export function eventTime(timestampMs: number, nowMs: number): number {
  const inCalendar = timestampMs >= limits.eventTimeMsMin && timestampMs <= limits.eventTimeMsMax;
  return inCalendar ? timestampMs : nowMs;
}
