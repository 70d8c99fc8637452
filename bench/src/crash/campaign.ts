import { setTimeout as wait } from "node:timers/promises";
import { Ledger, type Verdict } from "./ledger.ts";
import { CrashLoad, withReader } from "./load.ts";

/** Callers, each with an instance of its own. */
export const lanes = 64;
const stateBytes = 256;

/** Something bad that is done to a running system under load. */
export interface Strike {
  readonly name: string;
  /**
   * Does it, and resolves once the cause has gone away: what was killed is being started again, the disk is well. `acknowledged` tells how many
   * calls were answered so far.
   */
  strike(acknowledged: () => number): Promise<void>;
}

/** A system that a campaign is waged against. */
export interface Victim {
  readonly address: string;
  /** In this order, each under full load. */
  readonly strikes: readonly Strike[];
}

export interface CampaignReport extends Verdict {
  readonly strikes: number;
  /** From a cause's going away to the first call after it that was acknowledged, in ms; one per strike. */
  readonly resumedAfterMs: readonly number[];
  /** What callers saw meanwhile. */
  readonly errors: ReadonlyMap<string, number>;
}

/**
 * Puts a victim under full load, strikes it again and again, and holds everything that was acknowledged against what is stored in the
 * end. `random` (0 to 1) spaces the strikes.
 */
export async function wage(
  victim: Victim,
  prefix: string,
  random: () => number,
  progress: (text: string) => void,
): Promise<CampaignReport> {
  const ledger = new Ledger(lanes, stateBytes, prefix);
  const load = new CrashLoad(victim.address, ledger);
  const resumedAfterMs: number[] = [];
  try {
    await load.start();
    for (const { name, strike } of victim.strikes) {
      await load.nextAcknowledged();
      await wait(200 + random() * 800);
      await strike(() => ledger.acknowledged);
      const gone = performance.now();
      await load.nextAcknowledged();
      const tookMs = performance.now() - gone;
      resumedAfterMs.push(tookMs);
      progress(`${name}: first acknowledgement after ${Math.round(tookMs)} ms, ${ledger.acknowledged} so far`);
    }
    await wait(500);
  } finally {
    await load.stop();
  }
  const verdict = await withReader(victim.address, ledger, (read) => ledger.verify(read));
  return { ...verdict, strikes: victim.strikes.length, resumedAfterMs, errors: load.errors };
}
