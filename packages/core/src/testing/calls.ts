import fc from "fast-check";

/** Which registration a call says to belong to. */
export type Epoch = "own" | "none" | "earlier";

/** One operation, with everything that any kind needs; epochs and signals are named, because each engine has its own numbers. */
export interface Call {
  readonly kind: (typeof ownKinds)[number] | (typeof sharedKinds)[number];
  readonly instance: string;
  readonly other: string;
  readonly epoch: Epoch;
  readonly id: string;
  readonly text: string;
  readonly number: number;
  readonly choice: number;
  readonly event: "heartbeat" | "completed" | "failed" | "suspended" | "custom";
  readonly signal: "cancel" | "pause" | "resume";
}

/** Of one instance: any number of them may be in one batch. */
export const ownKinds = [
  "registerInstance",
  "saveCheckpoint",
  "saveBatch",
  "publish",
  "loadCheckpoint",
  "listOwnCheckpoints",
  "recordRetry",
  "appendEvent",
  "suspendUntil",
  "pollSignals",
  "acknowledgeSignal",
  "sendSignal",
  "sendCustomSignal",
  "controlInstance",
  "beginSleep",
  "endSleep",
  "readInstance",
] as const;

/** Of several, or of none's order: alone in their batch, because batches have an order within one instance only. */
export const sharedKinds = [
  "startInstance",
  "claimWork",
  "renewLease",
  "releaseWork",
  "readSignals",
  "fireDue",
  "settleEnded",
  "readPublished",
] as const;

/** `w…` have a workflow and so can be claimed; `c…` are children. */
export const instanceIds = ["a", "b", "w1", "w2", "c1", "c2"] as const;

function callOf(kind: fc.Arbitrary<Call["kind"]>): fc.Arbitrary<Call> {
  return fc.record({
    kind,
    instance: fc.constantFrom(...instanceIds),
    other: fc.constantFrom(...instanceIds),
    epoch: fc.oneof(
      { weight: 6, arbitrary: fc.constant("own" as const) },
      { weight: 2, arbitrary: fc.constant("none" as const) },
      { weight: 1, arbitrary: fc.constant("earlier" as const) },
    ),
    id: fc.constantFrom("", "x", "y", "z", "x::retry::1"),
    text: fc.constantFrom("", "1", "2", '{"n":3}', "long ".repeat(50)),
    number: fc.integer({ min: 0, max: 4 }),
    choice: fc.integer({ min: 0, max: 7 }),
    event: fc.constantFrom("heartbeat", "completed", "failed", "suspended", "custom"),
    signal: fc.constantFrom("cancel", "pause", "resume"),
  });
}

/** What one turn brings. Passes some time first. */
export interface Turn {
  readonly calls: readonly Call[];
  readonly passMs: number;
}

/** So much that every lease is over, and so much that whoever was silent is lost. */
const leaseOverMs = 5_500;
const everybodyLostMs = 600_000;

const single = callOf(fc.constantFrom(...ownKinds));
const frequent = callOf(
  fc.constantFrom("registerInstance", "saveCheckpoint", "appendEvent", "sendCustomSignal", "saveBatch"),
);
const shared = callOf(
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom("startInstance" as const, "claimWork" as const) },
    { weight: 2, arbitrary: fc.constantFrom(...sharedKinds) },
  ),
);

const plain = {
  other: "a",
  epoch: "own",
  id: "",
  text: "",
  number: 1,
  choice: 0,
  event: "custom",
  signal: "pause",
} as const;
const calling = (kind: Call["kind"], instance: string, other = "a"): Turn => ({
  calls: [{ ...plain, kind, instance, other }],
  passMs: 1,
});

/** Without it most calls would meet instances that nobody has started. */
const opening: readonly Turn[] = [
  calling("registerInstance", "a"),
  calling("registerInstance", "b"),
  calling("startInstance", "w1"),
  calling("startInstance", "w2"),
  calling("claimWork", "w1"),
  calling("startInstance", "c1", "w1"),
  calling("startInstance", "c2", "a"),
];

/** Histories of an opening and up to `turnsMax` turns. */
export function historyOf(turnsMax: number): fc.Arbitrary<readonly Turn[]> {
  const passing = fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: 0, max: 3 }) },
    { weight: 1, arbitrary: fc.constant(leaseOverMs) },
  );
  const turn = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        calls: fc.array(fc.oneof(single, frequent), { minLength: 1, maxLength: 8 }),
        passMs: passing,
      }),
    },
    { weight: 4, arbitrary: fc.record({ calls: fc.tuple(shared), passMs: passing }) },
    {
      weight: 1,
      arbitrary: fc.record({
        calls: fc.tuple(callOf(fc.constant("fireDue" as const))),
        passMs: fc.constant(everybodyLostMs),
      }),
    },
  );
  const turns = fc.array(turn, { minLength: 1, maxLength: turnsMax, size: "max" });
  return turns.map((random) => [...opening, ...random]);
}
