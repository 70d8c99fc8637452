import { checkTimeMs } from "../client/time-option.ts";
import { ProtocolError } from "../errors.ts";

/** When a body is given up although both ends could go on. */
export interface GuardOptions {
  /** Gives the body up; its error is CALL_ABORTED with the signal's reason as cause. */
  readonly signal?: AbortSignal | undefined;
  /** Gives the body up when the peer neither sends nor takes a byte for so long; CALL_TIMEOUT. Default 0 = never. */
  readonly progressTimeoutMs?: number | undefined;
}

/**
 * Watches over one body: a signal, and a clock that runs only while the peer is waited for. Either calls `giveUp`, at
 * most once.
 */
export class Guard {
  readonly #signal: AbortSignal | undefined;
  readonly #progressTimeoutMs: number;
  readonly #giveUp: (why: ProtocolError) => void;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  /** @throws ProtocolError OPTION_INVALID; CALL_ABORTED if the signal is aborted already. */
  constructor({ signal, progressTimeoutMs = 0 }: GuardOptions, giveUp: (why: ProtocolError) => void) {
    checkTimeMs("progressTimeoutMs", progressTimeoutMs);
    if (signal?.aborted) throw aborted(signal);
    this.#signal = signal;
    this.#progressTimeoutMs = progressTimeoutMs;
    this.#giveUp = giveUp;
    signal?.addEventListener("abort", this.#onAbort);
  }

  /** The peer is waited for from now on. */
  wait(): void {
    if (this.#progressTimeoutMs === 0 || this.#isOver) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#onTime(), this.#progressTimeoutMs);
  }

  /** The peer has done something. */
  progress(): void {
    clearTimeout(this.#timer);
  }

  /** Nothing more to watch; idempotent. */
  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = (): void => {
    if (this.#signal) this.#fire(aborted(this.#signal));
  };

  #onTime(): void {
    const message = `read error: the peer has made no progress for ${this.#progressTimeoutMs} ms`;
    this.#fire(new ProtocolError("CALL_TIMEOUT", message));
  }

  #fire(why: ProtocolError): void {
    if (this.#isOver) return;
    this.end();
    this.#giveUp(why);
  }
}

function aborted(signal: AbortSignal): ProtocolError {
  return new ProtocolError("CALL_ABORTED", "read error: the body was aborted", { cause: signal.reason });
}
