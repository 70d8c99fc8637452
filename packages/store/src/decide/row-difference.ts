import type { InstanceRow } from "./row.ts";

// Written out column by column: decisions compare rows all the time, and a loop over names takes ten times as long.

/** Whether a watcher of the instance would see another picture: what InstanceDetails shows of what may change. */
export function showsDifferently(before: InstanceRow, after: InstanceRow): boolean {
  return (
    before.status !== after.status ||
    before.reason !== after.reason ||
    before.reasonText !== after.reasonText ||
    before.exitCode !== after.exitCode ||
    before.firstStartedAtMs !== after.firstStartedAtMs ||
    before.startedAtMs !== after.startedAtMs ||
    before.finishedAtMs !== after.finishedAtMs ||
    before.readyAtMs !== after.readyAtMs ||
    before.run !== after.run ||
    before.holder !== after.holder ||
    !sameNames(before.waitingFor, after.waitingFor)
  );
}

/** Whether there is anything to write. */
export function differs(before: InstanceRow, after: InstanceRow): boolean {
  return showsDifferently(before, after) || keepsDifferently(before, after);
}

/** What changes without being shown. */
function keepsDifferently(before: InstanceRow, after: InstanceRow): boolean {
  return (
    before.epoch !== after.epoch ||
    before.seed !== after.seed ||
    before.lastMessage !== after.lastMessage ||
    before.lastSeenAtMs !== after.lastSeenAtMs ||
    before.checkpointId !== after.checkpointId ||
    before.checkpointCount !== after.checkpointCount ||
    before.usedMs !== after.usedMs ||
    before.recordedSignal !== after.recordedSignal ||
    before.dueAtMs !== after.dueAtMs ||
    before.claimSequence !== after.claimSequence ||
    before.childCount !== after.childCount ||
    before.unsettled !== after.unsettled ||
    before.queuedSignals !== after.queuedSignals ||
    before.changes !== after.changes ||
    before.pendingSignal !== after.pendingSignal ||
    before.pauseAcknowledged !== after.pauseAcknowledged
  );
}

function sameNames(some: readonly string[], others: readonly string[]): boolean {
  return some === others || (some.length === others.length && some.every((name, index) => name === others[index]));
}
