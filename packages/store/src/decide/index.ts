/**
 * What every write operation does, as pure functions: (operation, row, facts) → what it answers and what is to be written. Engines lock and
 * read (facts.ts says what), ask here, and write `Changes`. They keep no rules of their own.
 */
export { decideAcknowledgeSignal } from "./acknowledge-signal.ts";
export { decideAppendEvent } from "./append-event.ts";
export type { Changes, Decision, WideDecision } from "./changes.ts";
export { childMessageId } from "./child-result.ts";
export { type ClaimedWork, decideClaim } from "./claim.ts";
export { decideControlInstance } from "./control-instance.ts";
export { decideDue } from "./due.ts";
export type * from "./facts.ts";
export { refusalOf, unknownInstance } from "./guard.ts";
export { extendedLease } from "./lease.ts";
export { newRow } from "./new-row.ts";
export { noticesOf } from "./notices.ts";
export { decidePollSignals } from "./poll-signals.ts";
export { decidePublish } from "./publish.ts";
export { decideRecordRetry } from "./record-retry.ts";
export { decideRegisterInstance } from "./register-instance.ts";
export { decideRelease } from "./release.ts";
export { removable } from "./removable.ts";
export type { InstanceRow } from "./row.ts";
export { decideSaveBatch } from "./save-batch.ts";
export { decideSaveCheckpoint } from "./save-checkpoint.ts";
export { decideMoveSchedule, decidePutSchedule, type ScheduleRow } from "./schedules.ts";
export { decideSendCustomSignal } from "./send-custom-signal.ts";
export { decideSendSignal } from "./send-signal.ts";
export { decideSettle } from "./settle.ts";
export { decideBeginSleep, decideEndSleep } from "./sleep.ts";
export { decideStartInstance } from "./start-instance.ts";
export { decideSuspendUntil } from "./suspend-until.ts";
export { decideTouch } from "./touch.ts";
