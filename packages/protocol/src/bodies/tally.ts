import { createHash, type Hash } from "node:crypto";
import { ProtocolError } from "../errors.ts";

/** What a body should be. */
export interface BodyExpectation {
  /** Its length; anything else is BODY_LENGTH_WRONG. */
  readonly expectedBytes?: number | bigint | undefined;
  /** `"sha256"` computes the digest along the way. */
  readonly hash?: "sha256" | undefined;
  /** The digest it must have, 64 lower-case hex digits, compared as text (spec 2.4); implies `hash`. */
  readonly expectedSha256?: string | undefined;
}

/** Counts and hashes the bytes of one body, and says at its end whether they are the expected ones. */
export class Tally {
  readonly #expectedBytes: number | bigint | undefined;
  readonly #expectedSha256: string | undefined;
  readonly #hash: Hash | undefined;
  #bytes = 0;
  #sha256: string | undefined;

  /** @throws ProtocolError OPTION_INVALID */
  constructor({ expectedBytes, hash, expectedSha256 }: BodyExpectation) {
    if (expectedBytes !== undefined && !isCount(expectedBytes)) {
      throw new ProtocolError("OPTION_INVALID", `expectedBytes must be a whole number from 0, got ${expectedBytes}`);
    }
    this.#expectedBytes = expectedBytes;
    this.#expectedSha256 = expectedSha256;
    if (hash !== undefined || expectedSha256 !== undefined) this.#hash = createHash("sha256");
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Lower-case hex, once the body has ended as expected. */
  get sha256(): string | undefined {
    return this.#sha256;
  }

  /** @throws ProtocolError BODY_LENGTH_WRONG as soon as there are too many, so that nobody has to take the rest. */
  add(piece: Uint8Array): void {
    this.#bytes += piece.length;
    if (this.#expectedBytes !== undefined && this.#bytes > this.#expectedBytes) {
      throw new ProtocolError("BODY_LENGTH_WRONG", `Expected ${this.#expectedBytes} bytes, got ${this.#bytes} or more`);
    }
    this.#hash?.update(piece);
  }

  /** @throws ProtocolError BODY_LENGTH_WRONG, BODY_CHECKSUM_WRONG; texts as in spec 1.12 and 2.4. */
  end(): void {
    // Not !==: a count may be a bigint.
    if (this.#expectedBytes !== undefined && this.#bytes < this.#expectedBytes) {
      throw new ProtocolError("BODY_LENGTH_WRONG", `Expected ${this.#expectedBytes} bytes, got ${this.#bytes}`);
    }
    const sha256 = this.#hash?.digest("hex");
    if (this.#expectedSha256 !== undefined && sha256 !== this.#expectedSha256) {
      const message = `Checksum mismatch: expected ${this.#expectedSha256}, got ${sha256}`;
      throw new ProtocolError("BODY_CHECKSUM_WRONG", message);
    }
    this.#sha256 = sha256;
  }
}

function isCount(value: number | bigint): boolean {
  return value >= 0 && (typeof value === "bigint" || Number.isSafeInteger(value));
}
