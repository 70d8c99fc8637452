import type { Operation } from "@runtara/store";
import type { RandomWorld } from "./random-world.ts";
import { bytes } from "./values.ts";

/** Three schedules of two tenants: enough for every meeting of two operations. */
export function randomSchedules(world: RandomWorld): Operation {
  const { random, nowMs } = world;
  const name = { tenantId: random.chance(80) ? "t" : "u", scheduleId: `s${random.below(3)}` };
  const ahead = () => (random.chance(15) ? null : nowMs + random.below(4_000) - 1_000);
  const choice = random.below(100);
  if (choice < 30) {
    const schedule = {
      ...name,
      workflow: "w",
      input: random.chance(40) ? bytes("input".repeat(random.below(2))) : null,
      cron: random.pick(["* * * * *", "0 3 * * *"]),
      timezone: "UTC",
      overlap: random.pick(["skip", "queue", "all"] as const),
      catchUp: random.pick(["none", "last", "all"] as const),
      inactive: random.chance(10),
      nextFireMs: ahead(),
    };
    return { kind: "putSchedule", schedule, nowMs };
  }
  if (choice < 35) return { kind: "deleteSchedule", ...name };
  if (choice < 45) return { kind: "listSchedules", tenantId: name.tenantId, limit: random.pick([1, 2, 100]) };
  if (choice < 70) {
    return { kind: "claimSchedules", nowMs, leaseMs: random.pick([1, 500, 5_000]), limit: random.pick([1, 10]) };
  }
  return {
    kind: "moveSchedule",
    ...name,
    revision: world.revision(name),
    nextFireMs: ahead(),
    ...(random.chance(50) ? { lastInstanceId: world.id() } : {}),
    ...(random.chance(20) ? { leaseUntilMs: nowMs + random.below(1_000) } : {}),
  };
}
