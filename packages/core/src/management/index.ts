import type { Store } from "@runtara/store";
import type { Answer } from "../answer.ts";
import { answered } from "../answer.ts";
import { type Clock, systemClock } from "../timers/clock.ts";
import type { StartRequest, StartResponse } from "../work/index.ts";
import { OperatorControl } from "./control.ts";
import { InstanceFeed } from "./instance-feed.ts";
import { InstanceDirectory } from "./instances.ts";
import { PageCursors } from "./page-cursors.ts";
import { RecordReader } from "./records.ts";
import { ScheduleDirectory } from "./schedules.ts";
import { InstanceWaits } from "./waits.ts";

export type { NamedSignal, OperatorControl, Order } from "./control.ts";
export type { FeedPage, FeedRequest, InstanceFeed } from "./instance-feed.ts";
export type { Health, InstanceDirectory, InstanceRef, ListRequest, QueryRequest } from "./instances.ts";
export type { CheckpointList, CheckpointListRequest, HistoryRequest, RecordReader } from "./records.ts";
export type { ScheduleDirectory, ScheduleRequest } from "./schedules.ts";
export type { Change, Changes, InstanceWaits, WaitRequest, WatchRequest } from "./waits.ts";

export interface ManagementOptions {
  readonly store: Store;
  /** Starts an instance: `WorkService.start`. */
  readonly start: (request: StartRequest, answer: Answer<StartResponse>) => void;
  /** An instance has ended whose end concerns others: `SettleService.wake`. */
  readonly onUnsettled?: () => void;
  readonly clock?: Clock;
}

/**
 * What operators and clients may ask and do (spec 2.11 and its extensions), on plain values. Every method rejects with `CoreError`
 * alone; giving up waiting for one changes nothing.
 */
export interface Management {
  readonly instances: InstanceDirectory;
  readonly records: RecordReader;
  readonly control: OperatorControl;
  readonly waits: InstanceWaits;
  readonly feed: InstanceFeed;
  readonly schedules: ScheduleDirectory;
  /** @throws CoreError START_CONFLICT, VALIDATION_ERROR, VALUE_TOO_LARGE */
  start(request: StartRequest): Promise<StartResponse>;
  /** Lets go of the store's notices; to be called when nobody polls any more. */
  close(): void;
}

export function createManagement({
  store,
  start,
  onUnsettled = () => {},
  clock = systemClock,
}: ManagementOptions): Management {
  const cursors = new PageCursors(clock.now);
  const feed = new InstanceFeed(store, clock);
  return {
    instances: new InstanceDirectory(store, cursors),
    records: new RecordReader(store, cursors),
    control: new OperatorControl(store, clock.now, onUnsettled),
    waits: new InstanceWaits(store, clock),
    feed,
    schedules: new ScheduleDirectory(store, clock.now),
    start: (request) => answered((answer) => start(request, answer)),
    close: () => feed.close(),
  };
}
