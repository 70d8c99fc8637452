import type { ProtocolError } from "../errors.ts";
import { fromQuicError } from "../quic-errors.ts";
import type { TransportStream } from "../transport/port.ts";
import { Guard, type GuardOptions } from "./guard.ts";
import { type BodyExpectation, Tally } from "./tally.ts";

export interface ReadBodyOptions extends BodyExpectation, GuardOptions {
  /** What the peer sees when the body is cancelled or given up. Default 0. */
  readonly stopCode?: number | undefined;
}

/** The reading side of a stream, counted, hashed, verified and watched over. */
export class CheckedReader {
  readonly tally: Tally;
  readonly #stream: Pick<TransportStream, "read" | "stop">;
  readonly #stopCode: number;
  readonly #guard: Guard;
  readonly #onGivenUp: (why: ProtocolError) => void;
  #failure: ProtocolError | undefined;

  /**
   * `onGivenUp`: signal or time-out have ended it, maybe while nobody reads.
   *
   * @throws ProtocolError OPTION_INVALID; CALL_ABORTED if the signal is aborted already.
   */
  constructor(
    stream: Pick<TransportStream, "read" | "stop">,
    options: ReadBodyOptions,
    onGivenUp: (why: ProtocolError) => void,
  ) {
    this.#stream = stream;
    this.#stopCode = options.stopCode ?? 0;
    this.#onGivenUp = onGivenUp;
    this.tally = new Tally(options);
    this.#guard = new Guard(options, (why) => this.#giveUp(why));
  }

  /**
   * The next piece, or undefined at an end that is as expected. The piece may share its buffer with others.
   *
   * @throws ProtocolError
   */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#failure) throw this.#failure;
    try {
      this.#guard.wait();
      const piece = await this.#stream.read();
      this.#guard.progress();
      if (this.#failure) throw this.#failure;
      if (piece === undefined) {
        this.#guard.end();
        this.tally.end();
      } else this.tally.add(piece);
      return piece;
    } catch (error) {
      this.cancel();
      throw this.#failure ?? fromQuicError(error);
    }
  }

  /** Nothing more is wanted; after the peer's own end this does nothing. */
  cancel(): void {
    this.#guard.end();
    this.#stream.stop(this.#stopCode);
  }

  #giveUp(why: ProtocolError): void {
    this.#failure = why;
    this.#stream.stop(this.#stopCode);
    this.#onGivenUp(why);
  }
}
