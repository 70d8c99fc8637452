/** Numbers in [0, 1) from a seed (mulberry32), for tests that print their seed. */
export type Rng = () => number;

export function rngOf(seed: number): Rng {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The seed of a test run: SEED in the environment repeats one. */
export function seedOfRun(): number {
  const given = process.env.SEED;
  return given === undefined ? Math.floor(Math.random() * 1_000_000_000) : Number(given);
}

export function pick<T>(rng: Rng, items: readonly T[]): T {
  return items[Math.floor(rng() * items.length)] as T;
}
