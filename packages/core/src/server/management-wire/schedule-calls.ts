import { create, management } from "@runtara/protocol";
import type { StoredSchedule } from "@runtara/store";
import { CoreError } from "../../core-error.ts";
import type { Server } from "./base-calls.ts";
import { present } from "./words.ts";

/** Workflows that are started again and again. */
export const scheduleCalls = {
  async putSchedule(
    { management: { schedules } }: Server,
    { tenantId, schedule }: management.PutScheduleRequest,
  ): Promise<management.PutScheduleResponse> {
    if (schedule === undefined) throw CoreError.validation("schedule", "schedule is required");
    const { scheduleId, workflow, input, cron, timezone, overlap, catchUp, inactive } = schedule;
    const settings = { cron, timezone, overlap, catchUp, inactive };
    const { nextFireAtMs } = await schedules.put({ tenantId, scheduleId, workflow, input, ...settings });
    const fields = nextFireAtMs === null ? {} : { nextFireAtMs: BigInt(nextFireAtMs) };
    return create(management.PutScheduleResponseSchema, fields);
  },

  async listSchedules(
    { management: { schedules } }: Server,
    request: management.ListSchedulesRequest,
  ): Promise<management.ListSchedulesResponse> {
    const { schedules: rows, nextCursor } = await schedules.list(request);
    const page = { schedules: rows.map(scheduleMessage), ...present({ nextCursor }) };
    return create(management.ListSchedulesResponseSchema, page);
  },

  async deleteSchedule(
    { management: { schedules } }: Server,
    { tenantId, scheduleId }: management.DeleteScheduleRequest,
  ): Promise<management.DeleteScheduleResponse> {
    return create(management.DeleteScheduleResponseSchema, {
      deleted: await schedules.delete({ tenantId, scheduleId }),
    });
  },
} as const;

function scheduleMessage(schedule: StoredSchedule): management.Schedule {
  const { scheduleId, workflow, input, cron, timezone, overlap, catchUp, inactive } = schedule;
  const settings = { cron, timezone, overlap, catchUp, inactive };
  return create(management.ScheduleSchema, { scheduleId, workflow, ...settings, ...present({ input }) });
}
