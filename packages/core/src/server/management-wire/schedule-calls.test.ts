import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { management } from "@runtara/protocol";
import { bytes, onEachServer } from "../server.test.helper.ts";

const invalid = { code: "RPC", rpcCode: "PUT_SCHEDULE_ERROR", fineCode: "VALIDATION_ERROR", isRetryable: false };

onEachServer((server) => {
  for (const port of ["admin", "instance"] as const) {
    const operator = () => server.operators[port];
    const daily = { scheduleId: "night", workflow: "w", cron: "0 3 * * *", timezone: "Europe/Berlin" };

    test(`${port}: put, listed page by page, deleted`, async () => {
      const tenantId = randomUUID();
      const { nextFireAtMs } = await operator().putSchedule({ tenantId, schedule: daily });
      assert.ok(nextFireAtMs !== undefined && nextFireAtMs > BigInt(Date.now()));
      assert.equal(new Date(Number(nextFireAtMs)).getUTCMinutes(), 0);
      const again = await operator().putSchedule({ tenantId, schedule: daily });
      assert.equal(again.nextFireAtMs, nextFireAtMs);
      const full = { scheduleId: "a", input: bytes("in"), overlap: "queue", catchUp: "last", inactive: true };
      const off = await operator().putSchedule({ tenantId, schedule: { ...daily, ...full } });
      assert.equal(off.nextFireAtMs, undefined);
      const seen: management.Schedule[] = [];
      for (let cursor: string | undefined; ; ) {
        const page = await operator().listSchedules({
          tenantId,
          limit: 1,
          ...(cursor === undefined ? {} : { cursor }),
        });
        seen.push(...page.schedules);
        cursor = page.nextCursor;
        if (cursor === undefined) break;
      }
      const shown = seen.map(({ $typeName: _, ...schedule }) => schedule);
      assert.deepEqual(shown, [
        { ...daily, ...full },
        { ...daily, overlap: "skip", catchUp: "none", inactive: false },
      ]);
      assert.equal((await operator().deleteSchedule({ tenantId, scheduleId: "a" })).deleted, true);
      assert.equal((await operator().deleteSchedule({ tenantId, scheduleId: "a" })).deleted, false);
      assert.equal((await operator().listSchedules({ tenantId })).schedules.length, 1);
    });

    test(`${port}: what makes no sense is refused and leaves nothing`, async () => {
      const tenantId = randomUUID();
      const wrong: readonly object[] = [
        { scheduleId: "" },
        { scheduleId: "x".repeat(2_700) },
        { scheduleId: "a\0b" },
        { workflow: "" },
        { cron: "" },
        { cron: "every day" },
        { timezone: "Nowhere" },
        { overlap: "never" },
        { catchUp: "some" },
      ];
      for (const fields of wrong) {
        const request = { tenantId, schedule: { ...daily, ...fields } };
        await assert.rejects(operator().putSchedule(request), invalid, JSON.stringify(fields).slice(0, 60));
      }
      await assert.rejects(operator().putSchedule({ tenantId: "", schedule: daily }), invalid);
      await assert.rejects(operator().putSchedule({ tenantId }), invalid);
      await assert.rejects(operator().listSchedules({ tenantId, cursor: "made up" }), { fineCode: "VALIDATION_ERROR" });
      assert.deepEqual((await operator().listSchedules({ tenantId })).schedules, []);
    });

    test(`${port}: the server fires: one instance for each time, with the input`, async () => {
      const tenantId = randomUUID();
      // Ids of instances are one database's, whoever's they are.
      const scheduleId = `s ${randomUUID()}`;
      const schedule = { scheduleId, workflow: "w", cron: "* * * * * *", overlap: "all", input: bytes("in") };
      const began = await operator().watchInstances({ tenantId, waitMs: 1 });
      await operator().putSchedule({ tenantId, schedule });
      const { instances } = await operator().watchInstances({ tenantId, waitMs: 20_000, cursor: began.nextCursor });
      await operator().deleteSchedule({ tenantId, scheduleId });
      const [first] = instances;
      assert.ok(first !== undefined);
      assert.match(first.instanceId.slice(scheduleId.length), /^-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      const status = await operator().getInstanceStatus({ instanceId: first.instanceId, wantsStart: true });
      assert.deepEqual([status.details?.workflow, status.start?.input], ["w", bytes("in")]);
      assert.equal(status.start?.firstStartedAtMs, undefined);
    });
  }
});
