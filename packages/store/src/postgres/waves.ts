import type { Operation } from "../operations/index.ts";

/**
 * How operations of single instances are carried out. Those of one step share a statement or a transaction:
 * save: saveCheckpoint, and saveBatch without anything but entries; those of them that are not new and simple go on to saveAny. load, read, poll: one statement that only reads. own: a page of own
 * checkpoints. decide: everything else: lock, read, decide, write.
 */
export type Step = "save" | "saveAny" | "load" | "read" | "poll" | "own" | "decide";

/** What is submitted with its callback, or anything else that carries an operation. */
export interface Carrier {
  readonly operation: Operation;
}

/** Operations that are carried out together, after the waves before and before those behind. */
export interface Wave<T extends Carrier> {
  readonly step: Step;
  readonly members: T[];
}

export function stepOf(operation: Operation): Step {
  switch (operation.kind) {
    case "saveCheckpoint":
      return "save";
    case "saveBatch":
      return isPlainBatch(operation) ? "save" : "decide";
    case "loadCheckpoint":
      return "load";
    case "readInstance":
      return "read";
    case "pollSignals":
      return operation.checkpointId === undefined ? "poll" : "decide";
    case "listOwnCheckpoints":
      return "own";
    default:
      return "decide";
  }
}

type SaveBatch = Extract<Operation, { kind: "saveBatch" }>;

/** Entries alone: then it is as many saves that take no signals. */
function isPlainBatch({ entries, messages, beginsRun }: SaveBatch): boolean {
  return (
    messages.length === 0 &&
    beginsRun === undefined &&
    entries.length > 0 &&
    entries.every((entry) => entry.consumesSignalId === undefined)
  );
}

/** The instances that an operation of one instance concerns: itself, and the parent of one that is started. */
export function instancesOf(operation: Operation): readonly string[] {
  if (operation.kind === "startInstance" && operation.parent !== undefined) {
    return [operation.instanceId, operation.parent.instanceId];
  }
  return "instanceId" in operation ? [operation.instanceId] : [];
}

/**
 * Deals a batch out into waves: an operation goes into the first wave of its step that is behind the last one with its instance. In one wave
 * decide has each instance once, save each checkpoint once; reads may repeat. So operations of one instance keep their order, and the others
 * share as few statements as possible.
 */
export function planWaves<T extends Carrier>(
  batch: readonly T[],
  stepFor: (operation: Operation) => Step = stepOf,
): Wave<T>[] {
  const waves: Wave<T>[] = [];
  const lastOf = new Map<string, number>();
  const saved: Set<string>[] = [];
  for (const member of batch) {
    const { operation } = member;
    const step = stepFor(operation);
    const instances = instancesOf(operation);
    let last = -1;
    for (const instance of instances) last = Math.max(last, lastOf.get(instance) ?? -1);
    const at = place(last, step, operation);
    waves[at]?.members.push(member);
    for (const instance of instances) lastOf.set(instance, at);
  }
  return waves;

  function place(last: number, step: Step, operation: Operation): number {
    let at = Math.max(last, 0);
    if (at === last && (waves[at]?.step !== step || step === "decide")) at += 1;
    for (; at < waves.length; at += 1) {
      if (waves[at]?.step === step && (step !== "save" || takesKeys(saved[at], operation))) return at;
    }
    waves.push({ step, members: [] });
    saved.push(new Set());
    if (step === "save") takesKeys(saved[at], operation);
    return at;
  }
}

/** Enters the checkpoints of a save into the set, all or none: false if one of them is there. */
function takesKeys(keys: Set<string> | undefined, operation: Operation): boolean {
  if (keys === undefined) return false;
  if (operation.kind === "saveCheckpoint") {
    const key = keyOf(operation.instanceId, operation.checkpointId);
    const size = keys.size;
    return keys.add(key).size > size;
  }
  if (operation.kind !== "saveBatch") return false;
  const own = operation.entries.map(({ checkpointId }) => keyOf(operation.instanceId, checkpointId));
  if (own.some((key) => keys.has(key))) return false;
  for (const key of own) keys.add(key);
  return true;
}

/** Ids hold no U+0000. */
function keyOf(instanceId: string, checkpointId: string): string {
  return `${instanceId}\0${checkpointId}`;
}
