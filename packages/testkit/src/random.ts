/** A seeded source of numbers: equal seeds, equal numbers. */
export interface Random {
  /** [0, 1). */
  next(): number;
  /** 0 … below - 1. */
  below(bound: number): number;
}

/** Mulberry32. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, below: (bound) => Math.floor(next() * bound) };
}

/** For those who name no seed. */
export function newSeed(): number {
  return Math.floor(Math.random() * 2 ** 32);
}
