/** The contract of a store as tests: every engine runs them with one call. */
import { describe } from "node:test";
import { describeBatches } from "./batch-suite.ts";
import { describeCheckpoints } from "./checkpoint-suite.ts";
import { describeOrders } from "./control-suite.ts";
import { describeCustomSignals } from "./custom-signal-suite.ts";
import { describeDueTimes } from "./due-suite.ts";
import { describeEvents } from "./event-suite.ts";
import type { CreateHarness } from "./harness.ts";
import { describeHistory } from "./history-suite.ts";
import { describeLeases } from "./lease-suite.ts";
import { describeListings } from "./listing-suite.ts";
import { describeNotices } from "./notice-suite.ts";
import { describePublishing } from "./publish-suite.ts";
import { describeQueue } from "./queue-suite.ts";
import { describeRandomOperations } from "./random-suite.ts";
import { describeRegistration } from "./registration-suite.ts";
import { describeRetention } from "./retention-suite.ts";
import { describeSchedules } from "./schedule-suite.ts";
import { describeSettling } from "./settle-suite.ts";
import { describeSignals } from "./signal-suite.ts";
import { describeSleeps } from "./sleep-suite.ts";
import { describeStarts } from "./start-suite.ts";
import { describeStore } from "./store-suite.ts";
import { describeSuspensions } from "./suspend-suite.ts";

export { type AnswerNames, answerNames } from "./answer-names.ts";
export { type CompareOptions, compareStores, type Difference, describeDifference } from "./compare-stores.ts";
export type { CreateHarness, StoreHarness } from "./harness.ts";
export { memoryHarness } from "./memory-harness.ts";
export { type RandomOperations, type RandomOptions, randomOperations } from "./random-operations.ts";

/** Declares the suite for one engine. `createHarness` makes an empty database for each test. */
export function storeContract(name: string, createHarness: CreateHarness): void {
  describe(`store contract: ${name}`, () => {
    describeRegistration(createHarness);
    describeStarts(createHarness);
    describeCheckpoints(createHarness);
    describeBatches(createHarness);
    describePublishing(createHarness);
    describeEvents(createHarness);
    describeSuspensions(createHarness);
    describeSleeps(createHarness);
    describeSignals(createHarness);
    describeCustomSignals(createHarness);
    describeOrders(createHarness);
    describeQueue(createHarness);
    describeLeases(createHarness);
    describeDueTimes(createHarness);
    describeSettling(createHarness);
    describeSchedules(createHarness);
    describeListings(createHarness);
    describeHistory(createHarness);
    describeRetention(createHarness);
    describeNotices(createHarness);
    describeStore(createHarness);
    describeRandomOperations(createHarness);
  });
}
