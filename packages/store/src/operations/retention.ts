/**
 * Removes at most `limit` rows (of all tables together) that belong to instances which have ended: checkpoints and retry records saved, and
 * events received, before their bounds; and instances that ended before theirs, with everything of them, once the rest is gone. What is
 * absent is kept. Nothing of a pending, running or suspended instance is touched; nor an ended one whose effects are open (SettleEnded), or
 * that is the parent of one that has not ended. Also drops workers whose lease ended a day ago. One transaction, in slices that other writers
 * do not wait for; rows that somebody works on are skipped.
 */
export interface RemoveOld {
  readonly kind: "removeOld";
  readonly instancesEndedBeforeMs?: number;
  readonly eventsBeforeMs?: number;
  readonly checkpointsBeforeMs?: number;
  readonly limit: number;
  readonly nowMs: number;
}
export interface RemoveOldResult {
  readonly outcome: "removed";
  readonly instances: number;
  readonly events: number;
  readonly checkpoints: number;
  /** Call again: the limit was reached, or the time of a slice was over. */
  readonly more: boolean;
}
