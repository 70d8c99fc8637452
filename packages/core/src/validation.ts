import { CoreError } from "./core-error.ts";
import { limits } from "./limits.ts";

/** Whether either engine can hold the text as an id. The check of the length alone settles nearly every id. */
export function isStorableId(id: string): boolean {
  const short = id.length * 3 <= limits.idBytesMax || Buffer.byteLength(id) <= limits.idBytesMax;
  return short && !id.includes("\0");
}

/** Why `isStorableId` said no. */
export function unstorableId(field: string, id: string): CoreError {
  if (id.includes("\0")) return noNul(field);
  const bytes = Buffer.byteLength(id);
  return CoreError.validation(field, `${field} has ${bytes} bytes; at most ${limits.idBytesMax} are allowed`);
}

/** For ids and names that must not be empty; undefined = it is in order. */
export function invalidId(field: string, id: string): CoreError | undefined {
  if (id === "") return CoreError.validation(field, `${field} is required`);
  return isStorableId(id) ? undefined : unstorableId(field, id);
}

/** For texts of any length that an engine has to hold. */
export function invalidText(field: string, text: string | undefined): CoreError | undefined {
  return text?.includes("\0") ? noNul(field) : undefined;
}

function noNul(field: string): CoreError {
  return CoreError.validation(field, `${field} must not contain U+0000`);
}

/** For times that something is to happen at. */
export function invalidTime(field: string, timeMs: number | undefined): CoreError | undefined {
  if (timeMs === undefined || (timeMs >= 0 && timeMs <= limits.timeMsMax)) return undefined;
  const range = `${field} must lie between 0 and ${limits.timeMsMax} (milliseconds since 1970), got ${timeMs}`;
  return CoreError.validation(field, range);
}

export function invalidCount(field: string, count: number, countMax: number): CoreError | undefined {
  if (count <= countMax) return undefined;
  return CoreError.validation(field, `${field} has ${count} members; at most ${countMax} are allowed`);
}

/** For bytes that are kept: states, values, payloads. */
export function invalidBytes(field: string, bytes: Uint8Array, bytesMax: number): CoreError | undefined {
  return bytes.byteLength <= bytesMax ? undefined : CoreError.tooLarge(field, bytes.byteLength, bytesMax);
}

export function invalidTags(tags: Readonly<Record<string, string>>): CoreError | undefined {
  const entries = Object.entries(tags);
  const tooMany = invalidCount("tags", entries.length, limits.tagsMax);
  if (tooMany !== undefined) return tooMany;
  for (const [name, value] of entries) {
    if (name === "") return CoreError.validation("tags", "the name of a tag must not be empty");
    const invalid = invalidText("tags", name) ?? invalidText("tags", value);
    if (invalid !== undefined) return invalid;
    const longest = Math.max(Buffer.byteLength(name), Buffer.byteLength(value));
    if (longest > limits.tagBytesMax)
      return CoreError.validation("tags", `a tag has ${longest} bytes; at most ${limits.tagBytesMax} are allowed`);
  }
  return undefined;
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

/** The client's time where it lies in the calendar of both engines, else ours. */
export function eventTime(timestampMs: number, nowMs: number): number {
  const inCalendar = timestampMs >= limits.eventTimeMsMin && timestampMs <= limits.eventTimeMsMax;
  return inCalendar ? timestampMs : nowMs;
}
