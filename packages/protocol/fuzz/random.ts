/** Random numbers that a seed repeats; its own, because a run makes millions of them. Each is below its bound. */
export type Random = (bound: number) => number;

/** Marsaglia's xorshift of 32 bits. */
export function seededRandom(seed: number): Random {
  let state = seed | 0 || 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}
