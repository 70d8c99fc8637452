import type { Schedule, Schedules } from "../api/client.ts";
import { ConfigError } from "../errors.ts";
import type { ScheduleRecord } from "../ports/operator.ts";
import { ref } from "../workflow.ts";
import type { HandleParts } from "./handle.ts";
import { pagesOf } from "./pages.ts";

/** The schedules of a tenant; cron texts are read where they are fired. */
export function schedulesOf(parts: Pick<HandleParts, "operator" | "tenantId" | "wrapper" | "calls">): Schedules {
  const { operator, tenantId, wrapper, calls } = parts;
  const place = (id: string) => ({ tenantId, instanceId: id, id: "!schedule" });

  async function recordOf(schedule: Schedule): Promise<ScheduleRecord> {
    const { id, workflow, input, cron, timezone, overlap, catchUp, paused } = schedule;
    if (typeof id !== "string" || id === "") throw new ConfigError("schedules.put: the schedule has no id");
    if (typeof cron !== "string") throw new ConfigError(`schedule ${id}: cron is ${String(cron)}; it must be text`);
    // Only the name is looked at: that nobody serves it yet is no mistake.
    ref(workflow);
    return {
      scheduleId: id,
      workflow,
      input: (await wrapper.wrap(input, place(id), `schedule ${id} was given`)) ?? null,
      cron,
      timezone: timezone ?? "UTC",
      overlap: oneOf(id, "overlap", overlap, ["skip", "queue", "all"]),
      catchUp: oneOf(id, "catchUp", catchUp, ["none", "last", "all"]),
      inactive: paused ?? false,
    };
  }

  return {
    async put(schedule) {
      const record = await recordOf(schedule);
      await calls.once(`schedule ${schedule.id}`, () => operator.putSchedule(record));
    },
    async *list() {
      const page = (cursor: string | undefined) => calls.once("schedules.list", () => operator.listSchedules(cursor));
      for await (const record of pagesOf(page)) {
        const { scheduleId: id, workflow, cron, timezone, overlap, catchUp, inactive } = record;
        const input = await wrapper.unwrap(record.input, place(id));
        const given = input === undefined ? {} : { input };
        yield { id, workflow, ...given, cron, timezone, overlap, catchUp, paused: inactive };
      }
    },
    async delete(id) {
      await calls.once(`schedules.delete of ${id}`, () => operator.deleteSchedule(id));
    },
  };
}

/** The first is the default. */
function oneOf<const W extends string>(
  id: string,
  option: string,
  given: W | undefined,
  words: readonly [W, ...W[]],
): W {
  if (given === undefined) return words[0];
  if (words.includes(given)) return given;
  throw new ConfigError(`schedule ${id}: ${option} is ${JSON.stringify(given)}; it must be one of ${words.join(", ")}`);
}
