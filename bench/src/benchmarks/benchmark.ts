import type { Ground } from "../peers.ts";
import type { Plan } from "../plan.ts";
import type { Comparison } from "../side-by-side.ts";
import type { StepsMeasured } from "../steps/measured.ts";

/** A single figure that is not a comparison under load. */
export interface Figure {
  readonly benchmark: string;
  readonly name: string;
  readonly ours: number;
  readonly original: number;
  readonly unit: string;
}

/** A figure of ours alone. */
export interface Fact {
  readonly benchmark: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

export interface Results {
  readonly comparisons: readonly Comparison[];
  readonly figures: readonly Figure[];
  readonly facts?: readonly Fact[];
  readonly steps?: readonly StepsMeasured[];
}

export interface Benchmark {
  readonly name: string;
  readonly about: string;
  /** It needs none of the Rust programs. */
  readonly isWithoutOriginal?: boolean;
  run(ground: Ground, plan: Plan, progress: (text: string) => void): Promise<Results>;
}

/** The results of a benchmark that only compares. */
export function compared(comparisons: readonly Comparison[]): Results {
  return { comparisons, figures: [] };
}
