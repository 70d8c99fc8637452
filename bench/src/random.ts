/** Numbers from 0 to 1 that come again with the same seed (BENCH_SEED, else a new one), which is printed. */
export function seededRandom(progress: (text: string) => void): () => number {
  const seed = Number(process.env.BENCH_SEED ?? Math.floor(Math.random() * 2 ** 32)) >>> 0;
  progress(`seed ${seed} (BENCH_SEED repeats it)`);
  // Mulberry32.
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
