/** Checkpoints of the shorter run. */
const shortCheckpoints = 1_000;

/** Counted in one run of a load. */
export type Counts = Readonly<Record<string, number>>;

/**
 * What one checkpoint costs: a run with `checkpoints` more of them, less a run that is short. What each run has once (the registrations of its
 * callers, what it reads back, its beginning and end) is no longer in it. `count` makes one run of so many checkpoints.
 */
export async function perCheckpoint<C extends Counts>(
  checkpoints: number,
  count: (checkpoints: number) => Promise<C>,
): Promise<C> {
  // The first run finds a core that has done nothing yet.
  await count(shortCheckpoints);
  return costs(await count(shortCheckpoints), await count(shortCheckpoints + checkpoints), checkpoints);
}

function costs<C extends Counts>(short: C, long: C, checkpoints: number): C {
  const entries = Object.entries(long).map(([name, total]) => [name, (total - (short[name] ?? 0)) / checkpoints]);
  return Object.fromEntries(entries) as C;
}
