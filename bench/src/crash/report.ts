import type { Fact } from "../benchmarks/benchmark.ts";
import type { CampaignReport } from "./campaign.ts";

/** A campaign as lines of the table; what callers saw goes to `progress`. */
export function reportFacts(
  benchmark: string,
  name: string,
  { checked, lost, torn, resumedAfterMs, errors }: CampaignReport,
  progress: (text: string) => void,
): Fact[] {
  for (const [text, count] of errors) progress(`${benchmark}, ${name}: ${count} × ${text}`);
  return [
    { benchmark, name: `${name}: acknowledged and checked`, value: checked, unit: "checkpoints" },
    { benchmark, name: `${name}: acknowledged and lost`, value: lost, unit: "checkpoints" },
    { benchmark, name: `${name}: half there`, value: torn, unit: "checkpoints" },
    { benchmark, name: `${name}: slowest resumption`, value: Math.max(...resumedAfterMs), unit: "ms" },
  ];
}
