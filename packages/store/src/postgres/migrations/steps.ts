import type { Migration } from "../../migrate.ts";
import { durability } from "./000001-durability.ts";
import { schedules } from "./000002-schedules.ts";

/** All steps of ours, in order; the original's tables are there already. */
export const steps: readonly Migration[] = [durability, schedules];
