import type { StandInPace } from "@runtara/quic";
import { isProtocolError, ProtocolError } from "../errors.ts";
import { frameSizeText } from "../frames.ts";
import { limits } from "../limits.ts";
import type { ClientConnection, StandingIn } from "./connection.ts";
import { checkTimeMs } from "./time-option.ts";

/** When the network's own threads send the request; all in ms. */
export type LeaseKeeperOptions = StandInPace;

/**
 * Has one request sent again and again while the event loop is busy, over whatever connection the client has. It begins with a sign of life.
 * Over HTTP/2 and in memory there is nobody else to send it: there it does nothing.
 */
export class LeaseKeeper {
  readonly #payload: Uint8Array;
  readonly #options: LeaseKeeperOptions;
  #standingIn: StandingIn | undefined;
  #hasEnded = false;

  /** @internal */
  constructor(payload: Uint8Array, options: LeaseKeeperOptions) {
    if (payload.length > limits.framePayloadBytesMax) {
      throw new ProtocolError("FRAME_TOO_LARGE", `frame error: ${frameSizeText(payload.length)}`);
    }
    for (const name of ["everyMs", "quietMs", "stopMs"] as const) checkPositive(name, options[name]);
    this.#payload = payload;
    this.#options = options;
  }

  /** The event loop lives. Cheap: to be called every second or so. */
  sign(): void {
    this.#standingIn?.sign();
  }

  /** Nothing is sent any more. Idempotent. */
  end(): void {
    this.#hasEnded = true;
    this.#standingIn?.end();
    this.#standingIn = undefined;
  }

  /** @internal Goes on over another connection. */
  attach(connection: ClientConnection): void {
    if (this.#hasEnded) return;
    try {
      this.#standingIn = connection.standIn(this.#payload, this.#options);
    } catch (error) {
      // It has ended this very moment: the next one follows.
      if (!isProtocolError(error) || connection.isOpen) throw error;
      this.#standingIn = undefined;
    }
  }
}

function checkPositive(name: string, timeMs: number): void {
  checkTimeMs(name, timeMs);
  if (timeMs < 1) throw new ProtocolError("OPTION_INVALID", `${name} must be at least 1 ms, got ${timeMs}`);
}
