/** The contract of a store as tests: every engine runs them with one call. */
import { describe } from "node:test";
import { describeBatches } from "./batch-suite.ts";
import { describeCheckpoints } from "./checkpoint-suite.ts";
import type { CreateHarness } from "./harness.ts";
import { describeLifecycle } from "./lifecycle-suite.ts";
import { describeSignals } from "./signal-suite.ts";
import { describeSleeps } from "./sleep-suite.ts";

export type { CreateHarness, StoreHarness } from "./harness.ts";

/** Declares the suite for one engine. `createHarness` makes an empty database for each test. */
export function describeStore(name: string, createHarness: CreateHarness): void {
  describe(`store contract: ${name}`, () => {
    describeLifecycle(createHarness);
    describeCheckpoints(createHarness);
    describeSignals(createHarness);
    describeSleeps(createHarness);
    describeBatches(createHarness);
  });
}
