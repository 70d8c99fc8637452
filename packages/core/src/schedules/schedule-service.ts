import { type ClaimedSchedule, isFinal, type Store, type StoreError } from "@runtara/store";
import { limits } from "../limits.ts";
import { newSeed } from "../seed.ts";
import type { Clock } from "../timers/clock.ts";
import { type NextRun, Recurring } from "../timers/recurring.ts";
import { cronTimes } from "./cron-times.ts";
import { firingId } from "./firing-id.ts";
import { type Firing, planFiring } from "./plan.ts";

export interface ScheduleServiceOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly onTrouble?: (error: StoreError) => void;
}

/**
 * Starts instances when the times of schedules come. It knows one time only, the next of any schedule on the database. Each schedule that is due
 * goes to one process, under a lease; its instances are started under ids made of the planned times, and only then is it moved on. So a crash at
 * any point loses no start and repeats none: whoever takes over when the lease has ended starts the same ids.
 *
 * Late by at most `limits.dueGapMs` plus the commits, and by `limits.scheduleLeaseMs` where a process has died in the middle.
 */
export class ScheduleService {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #task: Recurring;
  #unwatch: (() => void) | undefined;

  constructor({ store, clock, onTrouble }: ScheduleServiceOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#task = new Recurring({ clock, run: () => this.#fire(), ...(onTrouble && { onTrouble }) });
  }

  /** Begins to watch the store, and looks at once for what became due while nobody did. */
  start(): void {
    this.#unwatch ??= this.#store.watch((notice) => {
      if (notice.topic === "schedule") this.#task.at(notice.atMs);
      // While others write, this comes often; looking takes the writer's lock.
      else if (notice.topic === "anything") this.#task.at(this.#clock.now() + limits.scheduleLookMs);
    });
    this.#task.wake();
  }

  /** Resolves when nothing is under way any more. Idempotent. */
  async stop(): Promise<void> {
    this.#unwatch?.();
    this.#unwatch = undefined;
    await this.#task.stop();
  }

  async #fire(): Promise<NextRun> {
    const nowMs = this.#clock.now();
    const { schedules, nextMs } = await this.#store.run({
      kind: "claimSchedules",
      nowMs,
      leaseMs: limits.scheduleLeaseMs,
      limit: limits.scheduleBatch,
    });
    const startsMax = Math.max(1, Math.floor(limits.scheduleStartsMax / Math.max(schedules.length, 1)));
    const done = await Promise.allSettled(schedules.map((schedule) => this.#fireOne(schedule, nowMs, startsMax)));
    const failed = done.find(({ status }) => status === "rejected");
    // Those that have failed come again when their lease has ended, the others are done.
    if (failed?.status === "rejected") throw failed.reason;
    return { atMs: nextMs, pauseMs: limits.dueGapMs };
  }

  async #fireOne(schedule: ClaimedSchedule, nowMs: number, startsMax: number): Promise<void> {
    const times = await cronTimes(schedule.cron, schedule.timezone);
    const lastHasEnded = await this.#lastHasEnded(schedule);
    const { scheduleGraceMs: graceMs } = limits;
    const firing = planFiring(schedule, times, { nowMs, lastHasEnded, graceMs, startsMax });
    const ids = firing.start.map((plannedMs) => firingId(schedule.scheduleId, plannedMs));
    await Promise.all(ids.map((instanceId) => this.#start(schedule, instanceId)));
    await this.#move(schedule, firing, ids.at(-1));
  }

  /** Of another schedule, or of an operator, an instance of that id is as good: the time has had its start. */
  async #start({ tenantId, workflow, input }: ClaimedSchedule, instanceId: string): Promise<void> {
    await this.#store.run({
      kind: "startInstance",
      instanceId,
      tenantId,
      workflow,
      ...(input === null ? {} : { input }),
      tags: {},
      seed: newSeed(),
      nowMs: this.#clock.now(),
    });
  }

  async #move(
    { tenantId, scheduleId, revision }: ClaimedSchedule,
    { nextFireMs, lookAgainMs }: Firing,
    lastInstanceId: string | undefined,
  ): Promise<void> {
    await this.#store.run({
      kind: "moveSchedule",
      tenantId,
      scheduleId,
      revision,
      nextFireMs,
      ...(lastInstanceId === undefined ? {} : { lastInstanceId }),
      ...(lookAgainMs === undefined ? {} : { leaseUntilMs: lookAgainMs }),
    });
  }

  async #lastHasEnded({ overlap, lastInstanceId, tenantId }: ClaimedSchedule): Promise<boolean> {
    if (overlap === "all" || lastInstanceId === null) return true;
    const result = await this.#store.run({ kind: "readInstance", instanceId: lastInstanceId, tenantId });
    return result.outcome === "unknownInstance" || isFinal(result.instance.status);
  }
}
