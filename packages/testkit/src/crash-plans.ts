import type { CrashPoint } from "./dying-store.ts";
import { limits } from "./limits.ts";
import type { Random } from "./random.ts";

/** Where the first process dies, and the second. */
export type CrashPlan = readonly CrashPoint[];

const sides = ["before", "after"] as const;

/** One crash at each place. */
export function singles(boundaries: number): CrashPlan[] {
  return places(boundaries).map((point) => [point]);
}

/** Two crashes: at each place the same commit once more, or the next one, whichever that is behind the first crash; then some by chance. Each
 *  pair once. */
export function pairs(boundaries: number, random: Random): CrashPlan[] {
  const near = places(boundaries).flatMap((point) => sides.map((when): CrashPlan => [point, { at: 1, when }]));
  const byChance = Array.from({ length: boundaries === 0 ? 0 : limits.pairs }, () => drawn(boundaries, random));
  const plans = new Map([...near, ...byChance].map((plan) => [JSON.stringify(plan), plan]));
  return [...plans.values()];
}

function drawn(boundaries: number, random: Random): CrashPlan {
  const first = 1 + random.below(boundaries);
  const second = 1 + random.below(boundaries - first + 1);
  return [
    { at: first, when: sideOf(random) },
    { at: second, when: sideOf(random) },
  ];
}

function places(boundaries: number): CrashPoint[] {
  return Array.from({ length: boundaries }, (_, index) => sides.map((when) => ({ at: index + 1, when }))).flat();
}

function sideOf(random: Random): "before" | "after" {
  return random.next() < 0.5 ? "before" : "after";
}
