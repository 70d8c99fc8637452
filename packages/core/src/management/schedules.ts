import type { Store, StoredSchedule } from "@runtara/store";
import { CoreError } from "../core-error.ts";
import { limits } from "../limits.ts";
import { cronTimes } from "../schedules/cron-times.ts";
import { firingIdBytes } from "../schedules/firing-id.ts";
import { invalidBytes, invalidId } from "../validation.ts";
import { ask, refuse } from "./ask.ts";
import { badCursor, listLimit } from "./instances.ts";

export interface ScheduleRequest {
  readonly tenantId: string;
  readonly scheduleId: string;
  readonly workflow: string;
  readonly input?: Uint8Array | undefined;
  /** Five or six fields. */
  readonly cron: string;
  /** IANA name; absent or empty = UTC. */
  readonly timezone?: string | undefined;
  /** While the last one still runs: "skip" (default), "queue" or "all". */
  readonly overlap?: string | undefined;
  /** For times that passed while nobody fired: "none" (default), "last" or "all". */
  readonly catchUp?: string | undefined;
  /** It does not fire. Default false. */
  readonly inactive?: boolean | undefined;
}

const overlaps: readonly StoredSchedule["overlap"][] = ["skip", "queue", "all"];
const catchUps: readonly StoredSchedule["catchUp"][] = ["none", "last", "all"];

/** Schedules as an operator sees them. Whoever runs core's background work on the database fires them. */
export class ScheduleDirectory {
  readonly #store: Store;
  readonly #now: () => number;

  constructor(store: Store, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /**
   * Makes or replaces the schedule of this id; an equal one stays as it is, so that a process may put its schedules at every start. Answers
   * when it fires next; null = not by itself.
   *
   * @throws CoreError VALIDATION_ERROR, VALUE_TOO_LARGE
   */
  async put(request: ScheduleRequest): Promise<{ readonly nextFireAtMs: number | null }> {
    const { tenantId, scheduleId, workflow, input, cron, timezone: zone = "", inactive = false } = request;
    const timezone = zone === "" ? "UTC" : zone;
    refuse(invalidId("tenant_id", tenantId) ?? invalidScheduleId(scheduleId) ?? invalidId("workflow", workflow));
    if (input !== undefined) refuse(invalidBytes("input", input, limits.payloadBytesMax));
    const overlap = oneOf("overlap", overlaps, request.overlap);
    const catchUp = oneOf("catch_up", catchUps, request.catchUp);
    const times = await cronTimes(cron, timezone);
    const nowMs = this.#now();
    const nextFireMs = inactive ? null : (times.next(nowMs) ?? null);
    const texts = { tenantId, scheduleId, workflow, input: input ?? null, cron, timezone };
    const schedule = { ...texts, overlap, catchUp, inactive, nextFireMs };
    const result = await ask(this.#store, { kind: "putSchedule", schedule, nowMs });
    return { nextFireAtMs: result.nextFireMs };
  }

  /**
   * In the order of their ids. `limit` 0 = `limits.listLimit`.
   *
   * @throws CoreError VALIDATION_ERROR: the cursor is none of this store's
   */
  async list({
    tenantId,
    cursor,
    limit,
  }: {
    readonly tenantId: string;
    readonly cursor?: string | undefined;
    readonly limit: number;
  }): Promise<{ readonly schedules: readonly StoredSchedule[]; readonly nextCursor: string | undefined }> {
    const page = { tenantId, limit: listLimit(limit), ...(cursor === undefined ? {} : { cursor }) };
    const result = await ask(this.#store, { kind: "listSchedules", ...page });
    if (result.outcome === "badCursor") throw badCursor();
    return { schedules: result.schedules, nextCursor: result.nextCursor };
  }

  /** False = there was none. What it has started goes on. */
  async delete(schedule: { readonly tenantId: string; readonly scheduleId: string }): Promise<boolean> {
    const { tenantId, scheduleId } = schedule;
    const { outcome } = await ask(this.#store, { kind: "deleteSchedule", tenantId, scheduleId });
    return outcome === "deleted";
  }
}

function invalidScheduleId(scheduleId: string): CoreError | undefined {
  const invalid = invalidId("schedule_id", scheduleId);
  if (invalid !== undefined) return invalid;
  const bytes = Buffer.byteLength(scheduleId);
  const bytesMax = limits.idBytesMax - firingIdBytes;
  if (bytes <= bytesMax) return undefined;
  return CoreError.validation("schedule_id", `schedule_id has ${bytes} bytes; at most ${bytesMax} are allowed`);
}

/** The first word is the default. */
function oneOf<Word extends string>(field: string, words: readonly Word[], given = ""): Word {
  const word = given === "" ? words[0] : words.find((each) => each === given);
  if (word === undefined)
    throw CoreError.validation(field, `'${given}' is unknown; give ${words.join(", ")} or nothing`);
  return word;
}
