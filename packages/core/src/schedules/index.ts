/** What starts workflows at planned times. */
export { ScheduleService, type ScheduleServiceOptions } from "./schedule-service.ts";
