import { ProtocolError } from "../errors.ts";
import { limits } from "../limits.ts";

/** For times that a timer must hold; a longer one would fire at once. @throws ProtocolError OPTION_INVALID */
export function checkTimeMs(name: string, value: number): void {
  if (value >= 0 && value <= limits.timerMsMax) return;
  const range = `a number of milliseconds from 0 to ${limits.timerMsMax}`;
  throw new ProtocolError("OPTION_INVALID", `${name} must be ${range}, got ${value}`);
}
