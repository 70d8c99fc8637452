import type { Migration } from "../../migrate.ts";

// The original's databases have a table `schedules` of their own. Without IF NOT EXISTS: a table of this name that is there already is somebody else's. Listed byte by byte, hence the collation.
export const schedules: Migration = {
  version: 2,
  name: "schedules",
  statements: [
    `CREATE TABLE workflow_schedules (
       tenant_id TEXT COLLATE "C" NOT NULL,
       schedule_id TEXT COLLATE "C" NOT NULL,
       workflow TEXT NOT NULL,
       input BYTEA,
       cron TEXT NOT NULL,
       timezone TEXT NOT NULL,
       overlap TEXT NOT NULL CHECK (overlap IN ('skip', 'queue', 'all')),
       catch_up TEXT NOT NULL CHECK (catch_up IN ('none', 'last', 'all')),
       inactive BOOLEAN NOT NULL,
       next_fire_ms BIGINT,
       lease_until_ms BIGINT,
       last_instance_id TEXT,
       revision BIGINT NOT NULL,
       created_ms BIGINT NOT NULL,
       updated_ms BIGINT NOT NULL,
       PRIMARY KEY (tenant_id, schedule_id)
     )`,
    "CREATE INDEX workflow_schedules_by_time ON workflow_schedules (next_fire_ms) WHERE next_fire_ms IS NOT NULL",
    // With an instance goes what its earlier workers are to be told of it.
    "CREATE INDEX IF NOT EXISTS lost_work_by_instance ON lost_work (instance_id)",
  ],
};
