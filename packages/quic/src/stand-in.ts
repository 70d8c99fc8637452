import type { Bridge } from "./bridge.ts";
import { limits } from "./limits.ts";

/** When the addon sends a frame in this program's place; all in ms. */
export interface StandInPace {
  /** Once in this time, while it stands in. */
  readonly everyMs: number;
  /** It begins after this long without a sign of life. */
  readonly quietMs: number;
  /** After this long without one it leaves off, until there is one again. */
  readonly stopMs: number;
}

/**
 * Sends one prepared frame again and again while the event loop is too busy to send anything, on threads of the addon's own. It begins with a
 * sign of life.
 */
export class StandIn {
  readonly #bridge: Bridge;
  #hasEnded = false;

  /** @internal */
  constructor(bridge: Bridge) {
    this.#bridge = bridge;
  }

  /** The event loop lives. Cheap; after the end of the stand-in or of its connection it does nothing. */
  sign(): void {
    if (!this.#hasEnded) this.#bridge.sign();
  }

  /** Nothing is sent any more. Idempotent. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#bridge.standIn(1, null, { everyMs: 0, quietMs: 0, stopMs: 0 });
  }
}

/** @throws RangeError */
export function checkPace(pace: StandInPace): void {
  for (const name of ["everyMs", "quietMs", "stopMs"] as const) {
    const given = pace[name];
    if (Number.isSafeInteger(given) && given >= 1 && given <= limits.timerMsMax) continue;
    throw new RangeError(`${name} must be a whole number from 1 to ${limits.timerMsMax}, got ${given}`);
  }
}
