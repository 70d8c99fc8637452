import { formatUuid } from "../hash.ts";

/** A generator that gives the same numbers for the same seed and scope: sfc32 (public domain, PractRand). Not for secrets. */
export class Random {
  readonly #state: Uint32Array;

  constructor(seed: string, scope: string) {
    this.#state = spread(`${seed}\n${scope}`);
    // The first numbers of similar seeds are similar; these are never used.
    for (let round = 0; round < 15; round++) this.#next();
  }

  /** [0, 1), 53 bits. */
  number(): number {
    const high = this.#next() >>> 5;
    const low = this.#next() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  uuid(): string {
    const words = Uint32Array.from([this.#next(), this.#next(), this.#next(), this.#next()]);
    // Byte by byte, so that the text does not depend on the machine's byte order.
    const bytes = Uint8Array.from({ length: 16 }, (_, index) => (words[index >> 2] ?? 0) >>> (8 * (index & 3)));
    return formatUuid(bytes, 4);
  }

  #next(): number {
    const state = this.#state as unknown as [number, number, number, number];
    const [a, b, c, counter] = state;
    const result = (a + b + counter) >>> 0;
    state[3] = counter + 1;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + result;
    return result;
  }
}

/** Four words out of a text (FNV-1a with four starts, then mixed). */
function spread(text: string): Uint32Array {
  const words = new Uint32Array(4);
  for (let lane = 0; lane < 4; lane++) {
    let hash = 0x811c9dc5 ^ Math.imul(lane + 1, 0x9e3779b9);
    for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    words[lane] = Math.imul(hash ^ (hash >>> 12), 0x297a2d39) ^ (hash >>> 15);
  }
  return words;
}
