import fc from "fast-check";
import type { Operation } from "../operations/index.ts";
import { bytes, seed } from "./rows.test.helper.ts";

/** Whose epoch a call carries. */
export type EpochChoice = "present" | "old" | "none";
/** An operation of one instance, but for its epoch and time, which depend on what has happened. */
export type Template = (epoch: number | undefined, nowMs: number) => Operation;

const instanceId = "i";
const name = fc.constantFrom("a", "b", "c");
const word = name.map(bytes);
const signalType = fc.constantFrom("cancel", "pause", "resume");
const worker = fc.constantFrom("w1", "w2");
/** exactOptionalPropertyTypes: a property that is there, or not. */
function maybe<Key extends string, Value>(key: Key, value: fc.Arbitrary<Value>): fc.Arbitrary<{ [K in Key]?: Value }> {
  return fc
    .option(value, { nil: undefined })
    .map((some) => (some === undefined ? {} : { [key]: some })) as fc.Arbitrary<{
    [K in Key]?: Value;
  }>;
}

function own(epoch: number | undefined): { readonly instanceId: string; readonly epoch?: number } {
  return epoch === undefined ? { instanceId } : { instanceId, epoch };
}

const starting: fc.Arbitrary<Template>[] = [
  fc.record({ checkpoint: maybe("checkpointId", name), staleAfterMs: fc.constantFrom(0, 1_000) }).map(
    ({ checkpoint, staleAfterMs }): Template =>
      (_, nowMs) => ({
        kind: "registerInstance",
        instanceId,
        tenantId: "t",
        checkTenant: false,
        seed,
        nowMs,
        staleAfterMs,
        ...checkpoint,
      }),
  ),
  fc
    .record({
      start: maybe("startAtMs", fc.nat(5_000)),
      limit: maybe("timeoutMs", fc.integer({ min: 1, max: 40_000 })),
      workflow: maybe("workflow", fc.constant("order")),
    })
    .map(
      ({ limit, start, workflow }): Template =>
        (_, nowMs) => ({
          kind: "startInstance",
          instanceId,
          tenantId: "t",
          tags: {},
          seed,
          nowMs,
          ...limit,
          ...start,
          ...workflow,
        }),
    ),
  fc.record({ workerId: worker, received: fc.nat(3), leaseMs: fc.constantFrom(1_000, 5_000) }).map(
    ({ leaseMs, received, workerId }): Template =>
      (_, nowMs) => ({
        kind: "claimWork",
        workerId,
        tenantId: "t",
        offers: [],
        capacity: 1,
        received,
        leaseMs,
        runningMax: 0,
        bytesMax: 1,
        nowMs,
      }),
  ),
];

const message = fc
  .record({ number: fc.integer({ min: 1, max: 6 }), key: fc.option(name), value: word })
  .map(({ key, number, value }) =>
    key === null
      ? { number, content: { kind: "event" as const, subtype: "s", payload: value, createdAtMs: 1 } }
      : { number, content: { kind: "published" as const, key, value } },
  );
const entry = fc
  .record({ checkpointId: name, state: word, consumes: maybe("consumesSignalId", fc.integer({ min: 1, max: 12 })) })
  .map(({ checkpointId, consumes, state }) => ({ checkpointId, state, ...consumes }));

const saving: fc.Arbitrary<Template>[] = [
  fc.record({ checkpointId: name, state: word }).map(
    (what): Template =>
      (epoch, nowMs) => ({ kind: "saveCheckpoint", ...own(epoch), ...what, nowMs }),
  ),
  fc
    .record({
      entries: fc.uniqueArray(entry, { maxLength: 3, selector: ({ checkpointId }) => checkpointId }),
      messages: fc.array(message, { maxLength: 3 }),
      run: maybe("beginsRun", fc.integer({ min: 1, max: 4 })),
    })
    .map(
      ({ entries, messages, run }): Template =>
        (epoch = 0, nowMs) => ({ kind: "saveBatch", ...own(epoch), epoch, entries, messages, nowMs, ...run }),
    ),
  fc.record({ run: fc.integer({ min: 1, max: 3 }), messages: fc.array(message, { maxLength: 3 }) }).map(
    (what): Template =>
      (epoch = 0, nowMs) => ({ kind: "publish", ...own(epoch), epoch, ...what, nowMs }),
  ),
  fc.record({ checkpointId: name, attempt: fc.nat(2), inMs: fc.option(fc.integer({ min: -10, max: 5_000 })) }).map(
    ({ inMs, ...what }): Template =>
      (epoch, nowMs) => ({
        kind: "recordRetry",
        ...own(epoch),
        ...what,
        nowMs,
        ...(inMs === null ? {} : { nextAtMs: nowMs + inMs }),
      }),
  ),
];

const living: fc.Arbitrary<Template>[] = [
  fc
    .record({
      type: fc.constantFrom("heartbeat", "completed", "failed", "suspended", "suspended", "custom"),
      reason: maybe("reason", fc.constantFrom("paused", "diverged")),
    })
    .map(
      ({ reason, type }): Template =>
        (epoch, nowMs) => ({ kind: "appendEvent", ...own(epoch), type, createdAtMs: nowMs, nowMs, ...reason }),
    ),
  fc
    .record({
      inMs: fc.option(fc.integer({ min: -10, max: 5_000 })),
      names: fc.uniqueArray(name, { maxLength: 2 }),
      recorded: maybe("recordedSignal", signalType),
      afterSignalId: fc.nat(20),
    })
    .map(
      ({ afterSignalId, inMs, names, recorded }): Template =>
        (epoch = 0, nowMs) => ({
          kind: "suspendUntil",
          ...own(epoch),
          epoch,
          names,
          afterSignalId,
          bytesMax: 1_000,
          nowMs,
          ...recorded,
          ...(inMs === null ? {} : { untilMs: nowMs + inMs }),
        }),
    ),
  fc.record({ checkpointId: name, state: word, durationMs: fc.nat(100) }).map(
    (what): Template =>
      (epoch, nowMs) => ({ kind: "beginSleep", ...own(epoch), ...what, nowMs }),
  ),
  fc.record({ checkpointId: name, ordinal: fc.integer({ min: 1, max: 3 }) }).map(
    (what): Template =>
      (epoch) => ({ kind: "endSleep", ...own(epoch), ...what }),
  ),
];

const signalling: fc.Arbitrary<Template>[] = [
  signalType.map(
    (signal): Template =>
      (epoch, nowMs) => ({ kind: "acknowledgeSignal", ...own(epoch), signal, nowMs }),
  ),
  fc.record({ signal: signalType, payload: word }).map(
    (what): Template =>
      (_, nowMs) => ({ kind: "sendSignal", instanceId, ...what, nowMs }),
  ),
  fc.record({ name, queued: fc.boolean(), payload: word, id: maybe("messageId", fc.constantFrom("m1", "m2")) }).map(
    ({ id, ...what }): Template =>
      (_, nowMs) => ({ kind: "sendCustomSignal", instanceId, ...what, ...id, nowMs }),
  ),
  fc.record({ order: fc.constantFrom("cancel", "pause", "resume", "resume"), text: maybe("text", name) }).map(
    ({ order, text }): Template =>
      (_, nowMs) => ({ kind: "controlInstance", instanceId, order, ...text, nowMs }),
  ),
  fc.constant((_, nowMs) => ({ kind: "controlInstance", instanceId, order: "kill", nowMs }) satisfies Operation),
  maybe("checkpointId", name).map(
    (what): Template =>
      (epoch, nowMs) => ({ kind: "pollSignals", ...own(epoch), ...what, nowMs }),
  ),
];

const timed: fc.Arbitrary<Template>[] = [
  fc.constantFrom(0, 1_000).map(
    (staleAfterMs): Template =>
      (_, nowMs) => ({ kind: "fireDue", nowMs, staleAfterMs, limit: 10 }),
  ),
  fc.constant(
    (epoch, nowMs) => ({ kind: "touchInstances", seen: [{ ...own(epoch), atMs: nowMs }] }) satisfies Operation,
  ),
  fc
    .record({ workerId: worker, handBack: fc.boolean(), delayMs: fc.nat(100), reason: fc.constantFrom("", "draining") })
    .map(
      ({ workerId, ...what }): Template =>
        (epoch = 0, nowMs) => ({ kind: "releaseWork", workerId, work: [{ instanceId, epoch, ...what }], nowMs }),
    ),
];

/** One call after another: after how many ms, with whose epoch, and what. Starts are as frequent as all else, or nearly all calls would meet an end. */
export const anyCalls: fc.Arbitrary<
  readonly { readonly afterMs: number; readonly epoch: EpochChoice; readonly template: Template }[]
> = fc.array(
  fc.record({
    afterMs: fc.oneof({ weight: 8, arbitrary: fc.nat(2_000) }, { weight: 1, arbitrary: fc.nat(100_000) }),
    epoch: fc.constantFrom<EpochChoice>("present", "present", "present", "none", "old"),
    template: fc.oneof(
      { weight: 3, arbitrary: fc.oneof(...starting) },
      { weight: 2, arbitrary: fc.oneof(...saving) },
      { weight: 3, arbitrary: fc.oneof(...living) },
      { weight: 3, arbitrary: fc.oneof(...signalling) },
      { weight: 1, arbitrary: fc.oneof(...timed) },
    ),
  }),
  { minLength: 20, maxLength: 80 },
);
