import { instances } from "./000001-instances.ts";
import { life } from "./000002-life.ts";
import { schedules } from "./000003-schedules.ts";
import type { Migration } from "./migration.ts";

export type { Migration } from "./migration.ts";

/** All steps, in order. */
export const migrations: readonly Migration[] = [instances, life, schedules];
