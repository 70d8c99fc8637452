// When to kill what: decided before the start, from a seed, so that a run can be repeated.

export type Target = "workflow" | "core";

export interface PlannedKill {
  target: Target;
  /** Kill once this many batches are finished … */
  afterBatches: number;
  /** … and this much later, so that the blow falls anywhere inside the work. */
  delayMs: number;
}

/** Three kills of the workflow and one of the core, in random order, between 5 % and 75 % of the work. */
export function planKills(seed: number, batches: number): PlannedKill[] {
  const random = mulberry32(seed);
  const targets: Target[] = ["workflow", "workflow", "workflow", "core"];
  shuffle(targets, random);
  const slice = 0.7 / targets.length;
  return targets.map((target, index) => ({
    target,
    afterBatches: Math.floor(batches * (0.05 + slice * (index + random() * 0.8))),
    delayMs: Math.floor(random() * 8),
  }));
}

function shuffle<T>(items: T[], random: () => number): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [items[other] as T, items[last] as T];
  }
}

/** A small seeded generator (Mulberry32): [0, 1), the same everywhere. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
