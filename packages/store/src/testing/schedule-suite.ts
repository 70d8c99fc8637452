import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClaimSchedules, MoveSchedule, Notice, PutSchedule } from "@runtara/store";
import { type CreateHarness, type More, useStore } from "./harness.ts";
import { bytes, same } from "./values.ts";

const schedule: PutSchedule["schedule"] = {
  tenantId: "t",
  scheduleId: "s",
  workflow: "w",
  input: null,
  cron: "0 3 * * *",
  timezone: "UTC",
  overlap: "skip",
  catchUp: "none",
  inactive: false,
  nextFireMs: 100,
};

export function describeSchedules(createHarness: CreateHarness): void {
  describe("schedules", () => {
    const t = useStore(createHarness);
    const put = (more: Partial<PutSchedule["schedule"]> = {}, nowMs = 1) =>
      t.run({ kind: "putSchedule", schedule: { ...schedule, ...more }, nowMs });
    const claim = (nowMs: number, more: More<ClaimSchedules> = {}) =>
      t.run({ kind: "claimSchedules", nowMs, leaseMs: 50, limit: 10, ...more });
    const move = (revision: number, nextFireMs: number | null, more: More<MoveSchedule> = {}) =>
      t.run({ kind: "moveSchedule", tenantId: "t", scheduleId: "s", revision, nextFireMs, ...more });
    const list = async (tenantId = "t", limit = 10, cursor?: string) => {
      const page = await t.run({ kind: "listSchedules", tenantId, limit, ...(cursor === undefined ? {} : { cursor }) });
      assert.ok(page.outcome === "page");
      return page;
    };
    const stored = async () => (await list()).schedules[0];
    const idsOf = (schedules: readonly { readonly scheduleId: string }[]) => schedules.map((one) => one.scheduleId);
    const remove = (scheduleId: string, tenantId = "t") => t.run({ kind: "deleteSchedule", tenantId, scheduleId });

    test("made, left as it is when it is equal, replaced when anything differs", async () => {
      same(await put({ input: bytes("x") }), { outcome: "created", nextFireMs: 100 });
      same(await put({ input: bytes("x"), nextFireMs: 777 }, 2), { outcome: "unchanged", nextFireMs: 100 });
      const made = await stored();
      same(made, { ...schedule, input: bytes("x"), lastInstanceId: null, revision: made?.revision });
      const others: readonly Partial<PutSchedule["schedule"]>[] = [
        { input: bytes("y") },
        { input: null },
        { input: bytes("") },
        { workflow: "v" },
        { cron: "1 3 * * *" },
        { timezone: "Europe/Berlin" },
        { overlap: "queue" },
        { catchUp: "last" },
        { inactive: true, nextFireMs: null },
      ];
      let before: Partial<PutSchedule["schedule"]> = {};
      let revision = made?.revision ?? 0;
      for (const [n, other] of others.entries()) {
        const nextFireMs = other.nextFireMs === undefined ? 200 + n : other.nextFireMs;
        before = { ...before, ...other, nextFireMs };
        same(await put(before), { outcome: "replaced", nextFireMs });
        const now = await stored();
        assert.ok(now !== undefined && now.revision > revision);
        revision = now.revision;
        same(now, { ...schedule, ...before, lastInstanceId: null, revision });
      }
    });

    test("a deleted one is gone and may be made again, under a higher revision", async () => {
      same(await remove("s"), { outcome: "absent" });
      await put({}, 5);
      const first = (await stored())?.revision ?? 0;
      same(await remove("s", "u"), { outcome: "absent" });
      same(await remove("s"), { outcome: "deleted" });
      same((await list()).schedules, []);
      same(await put({}, 6), { outcome: "created", nextFireMs: 100 });
      assert.ok(((await stored())?.revision ?? 0) > first);
      same(await move(first, 300), { outcome: "changed" });
    });

    test("listed by tenant in the order of their ids, byte by byte, page by page", async () => {
      const ids = ["b", "a", "B", "\u{10000}", "\uffff", "ä", "a b"];
      for (const scheduleId of ids) await put({ scheduleId });
      await put({ tenantId: "u", scheduleId: "other" });
      const expected = ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      const seen: string[] = [];
      for (let cursor: string | undefined; ; ) {
        const page = await list("t", 3, cursor);
        seen.push(...idsOf(page.schedules));
        cursor = page.nextCursor;
        if (cursor === undefined) break;
      }
      same(seen, expected);
      same(idsOf((await list("u")).schedules), ["other"]);
      same((await list("nobody")).schedules, []);
      const bad = { kind: "listSchedules", tenantId: "t", limit: 1, cursor: "made up" } as const;
      same(await t.run(bad), { outcome: "badCursor" });
    });

    test("claimed when due and not leased, earliest first, with the time of the next look", async () => {
      await put({ scheduleId: "late", nextFireMs: 120 });
      await put({ scheduleId: "soon", nextFireMs: 100 });
      await put({ scheduleId: "ahead", nextFireMs: 500 });
      await put({ scheduleId: "never", nextFireMs: null });
      same(await claim(99), { outcome: "claimed", schedules: [], nextMs: 100 });
      const one = await claim(130, { limit: 1 });
      same([idsOf(one.schedules), one.nextMs, one.schedules[0]?.attendedUntilMs], [["soon"], 120, null]);
      const two = await claim(130);
      same([idsOf(two.schedules), two.nextMs], [["late"], 180]);
      same(await claim(179), { outcome: "claimed", schedules: [], nextMs: 180 });
      const again = await claim(180);
      same([idsOf(again.schedules), again.nextMs], [["soon", "late"], 230]);
      same(
        again.schedules.map(({ attendedUntilMs }) => attendedUntilMs),
        [180, 180],
      );
      for (const scheduleId of ["soon", "late", "ahead"]) await remove(scheduleId);
      same(await claim(1_000), { outcome: "claimed", schedules: [], nextMs: undefined });
    });

    test("of equal times by tenant and id; a claimed one comes as it is stored", async () => {
      await put({ tenantId: "u", scheduleId: "a", input: bytes("in") });
      await put({ tenantId: "t", scheduleId: "b" });
      await put({ tenantId: "t", scheduleId: "a" });
      const { schedules } = await claim(100);
      same(
        schedules.map(({ tenantId, scheduleId }) => `${tenantId} ${scheduleId}`),
        ["t a", "t b", "u a"],
      );
      const [listed] = (await list("u")).schedules;
      same(schedules[2], { ...listed, attendedUntilMs: null });
      same(listed?.input, bytes("in"));
    });

    test("moved on with its last instance; the lease is over, or lasts as long as is said", async () => {
      await put();
      const revision = (await claim(100)).schedules[0]?.revision ?? 0;
      same(await move(revision, 200, { lastInstanceId: "s-1" }), { outcome: "moved" });
      same(await stored(), { ...schedule, nextFireMs: 200, lastInstanceId: "s-1", revision });
      const next = await claim(200);
      same([idsOf(next.schedules), next.schedules[0]?.attendedUntilMs], [["s"], null]);
      same(await move(revision, 200, { leaseUntilMs: 260 }), { outcome: "moved" });
      same(await claim(259), { outcome: "claimed", schedules: [], nextMs: 260 });
      const later = await claim(260);
      same([later.schedules[0]?.attendedUntilMs, later.schedules[0]?.lastInstanceId], [260, "s-1"]);
      same(await move(revision, null), { outcome: "moved" });
      same(await claim(1_000), { outcome: "claimed", schedules: [], nextMs: undefined });
    });

    test("not moved after it was replaced, deleted, or moved further by another; lease and last instance outlive a replacement", async () => {
      await put();
      const revision = (await claim(100)).schedules[0]?.revision ?? 0;
      same(await move(revision, 99), { outcome: "changed" });
      await move(revision, 300, { lastInstanceId: "s-1" });
      same(await move(revision, 200), { outcome: "changed" });
      same((await stored())?.nextFireMs, 300);
      await claim(300);
      await put({ cron: "1 1 * * *", nextFireMs: 310 });
      same(await move(revision, 400), { outcome: "changed" });
      same((await stored())?.lastInstanceId, "s-1");
      same(await claim(349), { outcome: "claimed", schedules: [], nextMs: 350 });
      same(idsOf((await claim(350)).schedules), ["s"]);
      await remove("s");
      same(await move(revision, 400), { outcome: "changed" });
      await put({ nextFireMs: null }, 9);
      same(await move((await stored())?.revision ?? 0, 400), { outcome: "changed" });
    });

    test("each is claimed by one of several processes, and both see what the other wrote", async () => {
      const other = await t.open();
      const count = 40;
      for (let n = 0; n < count; n += 1) await put({ scheduleId: `s${n}` });
      const claims = await Promise.all(
        Array.from({ length: 12 }, (_, n) =>
          (n % 2 === 0 ? t.store : other).run({ kind: "claimSchedules", nowMs: 100, leaseMs: 50, limit: 5 }),
        ),
      );
      const taken = claims.flatMap(({ schedules }) => idsOf(schedules));
      assert.equal(new Set(taken).size, taken.length);
      const rest = await other.run({ kind: "claimSchedules", nowMs: 100, leaseMs: 50, limit: 100 });
      assert.equal(taken.length + rest.schedules.length, count);
    });

    test("two that make the same one: it is there once", async () => {
      const other = await t.open();
      const results = await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          (n % 2 === 0 ? t.store : other).run({ kind: "putSchedule", schedule, nowMs: 1 }),
        ),
      );
      same(results.map(({ outcome }) => outcome).sort(), ["created", ...Array<string>(9).fill("unchanged")]);
    });

    test("told when one is put or moved: the earliest time of a flush", async () => {
      const notices: Notice[] = [];
      const stop = t.store.watch((notice) => {
        if (notice.topic === "schedule") notices.push(notice);
      });
      await put();
      same(notices.splice(0), [{ topic: "schedule", atMs: 100 }]);
      await put();
      await put({ scheduleId: "off", inactive: true, nextFireMs: null });
      await remove("off");
      const revision = (await claim(100)).schedules[0]?.revision ?? 0;
      same(notices, []);
      await move(revision, 200);
      same(notices.splice(0), [{ topic: "schedule", atMs: 200 }]);
      stop();
    });
  });
}
