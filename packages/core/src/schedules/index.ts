/** What starts workflows at planned times. */
export { ScheduleService } from "./schedule-service.ts";
