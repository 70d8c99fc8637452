import type * as checkpoints from "./checkpoints.ts";
import type * as life from "./life.ts";
import type * as listings from "./listings.ts";
import type * as registration from "./registration.ts";
import type * as retention from "./retention.ts";
import type * as schedules from "./schedules.ts";
import type * as signals from "./signals.ts";
import type * as work from "./work.ts";

// Operations are plain data (structured-clone-able), so that an engine may carry out many at once, in another thread or process, or as one
// statement. Each is atomic. Times are milliseconds since the Unix epoch and come from the caller: a store reads no clock. Bytes may be views;
// an engine copies what it keeps. Texts are without U+0000 and within the limits of spec R1: callers check.

export type * from "./checkpoints.ts";
export type * from "./life.ts";
export type * from "./listings.ts";
export type * from "./refusals.ts";
export type * from "./registration.ts";
export type * from "./retention.ts";
export type * from "./schedules.ts";
export type * from "./signals.ts";
export type * from "./work.ts";

/** What each kind of operation answers. */
export interface ResultOf {
  readonly registerInstance: registration.RegisterInstanceResult;
  readonly startInstance: registration.StartInstanceResult;
  readonly touchInstances: registration.TouchInstancesResult;
  readonly readInstance: registration.ReadInstanceResult;
  readonly saveCheckpoint: checkpoints.SaveCheckpointResult;
  readonly saveBatch: checkpoints.SaveBatchResult;
  readonly publish: checkpoints.PublishResult;
  readonly loadCheckpoint: checkpoints.LoadCheckpointResult;
  readonly listOwnCheckpoints: checkpoints.ListOwnCheckpointsResult;
  readonly recordRetry: checkpoints.RecordRetryResult;
  readonly appendEvent: life.AppendEventResult;
  readonly suspendUntil: life.SuspendUntilResult;
  readonly beginSleep: life.BeginSleepResult;
  readonly endSleep: life.EndSleepResult;
  readonly fireDue: life.FireDueResult;
  readonly settleEnded: life.SettleEndedResult;
  readonly pollSignals: signals.PollSignalsResult;
  readonly readSignals: signals.ReadSignalsResult;
  readonly acknowledgeSignal: signals.AcknowledgeSignalResult;
  readonly sendSignal: signals.SendSignalResult;
  readonly sendCustomSignal: signals.SendCustomSignalResult;
  readonly controlInstance: signals.ControlInstanceResult;
  readonly claimWork: work.ClaimWorkResult;
  readonly renewLease: work.RenewLeaseResult;
  readonly releaseWork: work.ReleaseWorkResult;
  readonly putSchedule: schedules.PutScheduleResult;
  readonly deleteSchedule: schedules.DeleteScheduleResult;
  readonly listSchedules: schedules.ListSchedulesResult;
  readonly claimSchedules: schedules.ClaimSchedulesResult;
  readonly moveSchedule: schedules.MoveScheduleResult;
  readonly listInstances: listings.ListInstancesResult;
  readonly queryInstances: listings.QueryInstancesResult;
  readonly listCheckpoints: listings.ListCheckpointsResult;
  readonly listEvents: listings.ListEventsResult;
  readonly listHistory: listings.ListHistoryResult;
  readonly readChanges: listings.ReadChangesResult;
  readonly readPublished: listings.ReadPublishedResult;
  readonly checkHealth: listings.CheckHealthResult;
  readonly removeOld: retention.RemoveOldResult;
}

export type Operation =
  | registration.RegisterInstance
  | registration.StartInstance
  | registration.TouchInstances
  | registration.ReadInstance
  | checkpoints.SaveCheckpoint
  | checkpoints.SaveBatch
  | checkpoints.Publish
  | checkpoints.LoadCheckpoint
  | checkpoints.ListOwnCheckpoints
  | checkpoints.RecordRetry
  | life.AppendEvent
  | life.SuspendUntil
  | life.BeginSleep
  | life.EndSleep
  | life.FireDue
  | life.SettleEnded
  | signals.PollSignals
  | signals.ReadSignals
  | signals.AcknowledgeSignal
  | signals.SendSignal
  | signals.SendCustomSignal
  | signals.ControlInstance
  | work.ClaimWork
  | work.RenewLease
  | work.ReleaseWork
  | schedules.PutSchedule
  | schedules.DeleteSchedule
  | schedules.ListSchedules
  | schedules.ClaimSchedules
  | schedules.MoveSchedule
  | listings.ListInstances
  | listings.QueryInstances
  | listings.ListCheckpoints
  | listings.ListEvents
  | listings.ListHistory
  | listings.ReadChanges
  | listings.ReadPublished
  | listings.CheckHealth
  | retention.RemoveOld;

export type OperationKind = Operation["kind"];
export type OperationOf<K extends OperationKind> = Extract<Operation, { readonly kind: K }>;
