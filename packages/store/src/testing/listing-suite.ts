import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ListInstances, QueryInstances } from "@runtara/store";
import { type CreateHarness, type More, seed, useStore } from "./harness.ts";
import { bytes, same } from "./values.ts";

export function describeListings(createHarness: CreateHarness): void {
  describe("listings of instances", () => {
    const t = useStore(createHarness);
    const list = async (more: More<ListInstances> = {}) => {
      const result = await t.run({ kind: "listInstances", limit: 100, ...more });
      assert.ok(result.outcome === "page");
      return { ...result, ids: result.instances.map(({ instanceId }) => instanceId) };
    };
    const query = async (more: More<QueryInstances> = {}) => {
      const result = await t.run({
        kind: "queryInstances",
        tenantId: "t",
        statuses: [],
        tags: {},
        limit: 100,
        ...more,
      });
      assert.ok(result.outcome === "page");
      return { ...result, ids: result.instances.map(({ instanceId }) => instanceId) };
    };

    test("newest first, by tenant and status, with true totals; offset and limit", async () => {
      for (const [n, tenantId] of ["t", "u", "t", "t"].entries()) await t.start(`i${n}`, { tenantId, nowMs: n });
      await t.register("i0");
      same((await list()).ids, ["i3", "i2", "i1", "i0"]);
      const ofTenant = await list({ tenantId: "t" });
      same([ofTenant.ids, ofTenant.total], [["i3", "i2", "i0"], 3]);
      same((await list({ status: "running" })).ids, ["i0"]);
      same((await list({ tenantId: "u", status: "running" })).total, 0);
      const second = await list({ limit: 1, offset: 1 });
      same([second.ids, second.total], [["i2"], 4]);
      const none = await list({ limit: 0 });
      same([none.ids, none.total, none.nextCursor], [[], 4, undefined]);
      same((await list({ offset: 9 })).ids, []);
    });

    test("details are shown as they are", async () => {
      await t.queue("i", { tags: { a: "1" }, startAtMs: 9, nowMs: 3 });
      const { instances } = await list();
      const { checkpointId, checkpointCount, epoch, lastSeenAtMs, output, error, failure, ...details } =
        await t.read("i");
      same(
        [checkpointId, checkpointCount, epoch, lastSeenAtMs, output, error, failure],
        [null, 0, 0, null, null, null, null],
      );
      same(instances, [details]);
    });

    test("what it was started with is shown where it is asked for", async () => {
      await t.start("with", { input: bytes("input") });
      await t.start("without");
      const startOf = async (instanceId: string, withStart?: boolean) => {
        const result = await t.run({
          kind: "readInstance",
          instanceId,
          ...(withStart === undefined ? {} : { withStart }),
        });
        assert.ok(result.outcome === "found");
        return result.instance.start;
      };
      same(
        await Promise.all([startOf("with", true), startOf("without", true), startOf("with"), startOf("with", false)]),
        [{ input: bytes("input"), seed }, { input: null, seed }, undefined, undefined],
      );
    });

    test("pages by cursor show everything once, also while more is created; of equal times by id", async () => {
      for (let n = 0; n < 10; n += 1) await t.start(`i${n}`, { nowMs: n < 5 ? 1 : n });
      const seen: string[] = [];
      let cursor: string | undefined;
      for (let pages = 0; ; pages += 1) {
        assert.ok(pages < 10);
        const page = await list({ limit: 3, ...(cursor === undefined ? {} : { cursor }) });
        seen.push(...page.ids);
        same(page.total, cursor === undefined ? 10 : undefined);
        await t.start(`new${pages}`, { nowMs: 100 + pages });
        cursor = page.nextCursor;
        if (cursor === undefined) break;
      }
      same(seen, ["i9", "i8", "i7", "i6", "i5", "i4", "i3", "i2", "i1", "i0"]);
    });

    test("a page that ends exactly with the last row is the last", async () => {
      for (let n = 0; n < 4; n += 1) await t.start(`i${n}`, { nowMs: n });
      const first = await list({ limit: 2 });
      assert.ok(first.nextCursor !== undefined);
      const second = await list({ limit: 2, cursor: first.nextCursor });
      same([second.ids, second.nextCursor], [["i1", "i0"], undefined]);
    });

    test("texts that are no cursors of this listing are told apart", async () => {
      await t.register("i");
      for (const cursor of ["", "x", "W10", "bm90IGpzb24", "null", "%%%", "1", '["instances",1]']) {
        same(await t.run({ kind: "listInstances", limit: 1, cursor }), { outcome: "badCursor" }, cursor);
        const query = { kind: "queryInstances", tenantId: "t", statuses: [], tags: {}, limit: 1, cursor } as const;
        same(await t.run(query), { outcome: "badCursor" }, cursor);
        same(await t.run({ kind: "listCheckpoints", instanceId: "i", limit: 1, cursor }), { outcome: "badCursor" });
        same(await t.run({ kind: "listEvents", instanceId: "i", limit: 1, cursor }), { outcome: "badCursor" });
        const history = { kind: "listHistory", instanceId: "i", limit: 1, bytesMax: 1, cursor } as const;
        same(await t.run(history), { outcome: "badCursor" });
        const changes = { kind: "readChanges", instanceId: "i", limit: 1, bytesMax: 1, cursor } as const;
        same(await t.run(changes), { outcome: "badCursor" });
        const own = { kind: "listOwnCheckpoints", instanceId: "i", epoch: 1, prefix: "", cursor } as const;
        same(await t.run({ ...own, stateBytesMax: 1, pageBytesMax: 1 }), { outcome: "badCursor" });
      }
    });

    test("a cursor whose place cannot be one is none", async () => {
      await t.register("i");
      const cursorOf = (...members: unknown[]) => Buffer.from(JSON.stringify(members)).toString("base64url");
      const bad = { outcome: "badCursor" };
      for (const createdAt of [1, "1"]) {
        const cursor = cursorOf("instances", createdAt, "a\0b");
        same(await t.run({ kind: "listInstances", limit: 1, cursor }), bad);
      }
      for (const place of [1.5, 2 ** 60, null, "1", [1]]) {
        const checkpoints = { kind: "listCheckpoints", instanceId: "i", limit: 1 } as const;
        same(await t.run({ ...checkpoints, cursor: cursorOf("checkpoints", place) }), bad);
        const history = { kind: "listHistory", instanceId: "i", limit: 1, bytesMax: 1 } as const;
        same(await t.run({ ...history, cursor: cursorOf("history", 0, 0, 0, place) }), bad);
      }
    });

    test("queries: every filter must fit, bounds are exclusive", async () => {
      await t.queue("a", { tags: { env: "prod", team: "x" }, nowMs: 10 });
      await t.queue("b", { tags: { env: "prod" }, workflow: "v", nowMs: 20 });
      await t.start("c", { tags: { env: "test" }, nowMs: 30 });
      await t.queue("d", { tenantId: "u", tags: { env: "prod" }, nowMs: 40 });
      await t.register("a");
      same((await query()).ids, ["c", "b", "a"]);
      same((await query({ workflow: "w" })).ids, ["a"]);
      same((await query({ statuses: ["pending"] })).ids, ["c", "b"]);
      same((await query({ statuses: ["pending", "running"] })).ids, ["c", "b", "a"]);
      same((await query({ tags: { env: "prod" } })).ids, ["b", "a"]);
      same((await query({ tags: { env: "prod", team: "x" } })).ids, ["a"]);
      same((await query({ tags: { env: "prod", team: "y" } })).ids, []);
      same((await query({ tags: { toString: "x" } })).ids, []);
      same((await query({ createdAfterMs: 10 })).ids, ["c", "b"]);
      same((await query({ createdAfterMs: 10, createdBeforeMs: 30 })).ids, ["b"]);
      same((await query({ tenantId: "u" })).ids, ["d"]);
      const first = await query({ limit: 2 });
      assert.ok(first.nextCursor !== undefined);
      const second = await query({ limit: 2, cursor: first.nextCursor });
      same([second.ids, second.nextCursor], [["a"], undefined]);
      same((await query({ limit: 1, offset: 1 })).ids, ["b"]);
    });

    test("queries: filters together, in any number and twice the same", async () => {
      for (const [n, workflow] of ["v", "w", "v"].entries()) await t.queue(`i${n}`, { workflow, nowMs: n });
      await t.register("i2");
      same((await query({ workflow: "v", statuses: ["pending"] })).ids, ["i0"]);
      same((await query({ workflow: "v", statuses: ["running", "completed"] })).ids, ["i2"]);
      same((await query({ workflow: "w", statuses: ["running"] })).ids, []);
      same((await query({ workflow: "w", statuses: ["completed"] })).ids, []);
      same((await query({ statuses: ["pending", "running", "pending"] })).ids, ["i2", "i1", "i0"]);
      const all = ["pending", "running", "suspended", "completed", "failed", "cancelled"] as const;
      same((await query({ statuses: all })).ids, ["i2", "i1", "i0"]);
      same((await query({ workflow: "v", statuses: all, createdAfterMs: 0 })).ids, ["i2"]);
    });

    test("queries: pages by cursor show everything once whatever the filters; of equal times by id", async () => {
      for (let n = 0; n < 9; n += 1) {
        await t.queue(`i${n}`, { nowMs: n < 6 ? 1 : n });
        if (n % 2 === 0) await t.register(`i${n}`);
      }
      const pending = { statuses: ["pending", "running"] } as const;
      const filters: More<QueryInstances>[] = [{}, pending, { workflow: "w" }, { ...pending, workflow: "w" }];
      for (const filter of filters) {
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const more = cursor === undefined ? filter : { ...filter, cursor };
          const page = await query({ ...more, createdBeforeMs: 8, limit: 3 });
          seen.push(...page.ids);
          cursor = page.nextCursor;
        } while (cursor !== undefined && seen.length < 20);
        same(seen, ["i7", "i6", "i5", "i4", "i3", "i2", "i1", "i0"], JSON.stringify(filter));
        const last = await query({ ...filter, createdBeforeMs: 7, limit: 1 });
        assert.ok(last.nextCursor !== undefined);
        same((await query({ ...filter, cursor: last.nextCursor, createdBeforeMs: 1 })).ids, []);
      }
    });

    test("tags of any text are found as they are", async () => {
      const tags = { 'quo"te': "a'b", "dot.ted": "$.x", "": "empty", ünï: "[0]" };
      await t.start("i", { tags });
      for (const [name, value] of Object.entries(tags))
        same((await query({ tags: { [name]: value } })).ids, ["i"], name);
      same((await query({ tags: { dot: "x" } })).ids, []);
    });

    test("health counts running and suspended ones", async () => {
      same(await t.run({ kind: "checkHealth" }), { outcome: "healthy", active: 0 });
      await t.start("pending");
      await t.register("running");
      await t.register("suspended");
      await t.event("suspended", "suspended");
      await t.register("ended");
      await t.event("ended", "completed");
      same(await t.run({ kind: "checkHealth" }), { outcome: "healthy", active: 2 });
    });

    test("I9: readInstance with another tenant's id finds nothing", async () => {
      await t.register("i");
      same(await t.run({ kind: "readInstance", instanceId: "i", tenantId: "u" }), { outcome: "unknownInstance" });
      same((await t.run({ kind: "readInstance", instanceId: "i", tenantId: "t" })).outcome, "found");
    });
  });

  describe("listings of one instance", () => {
    const t = useStore(createHarness);

    test("checkpoints: newest first in the order of saving, with totals, bounds, one id, offset and cursor", async () => {
      await t.register("i");
      for (const [n, id] of ["b", "a", "d", "c"].entries())
        await t.save("i", id, "x".repeat(n), { nowMs: 10 * (n + 1) });
      await t.run({ kind: "recordRetry", instanceId: "i", checkpointId: "r", attempt: 1, nowMs: 25 });
      const list = async (more: object = {}) => {
        const result = await t.run({ kind: "listCheckpoints", instanceId: "i", limit: 100, ...more });
        assert.ok(result.outcome === "page");
        const ids = result.checkpoints.map(({ checkpointId }) => checkpointId);
        return { ...result, ids };
      };
      const all = await list();
      same([all.ids, all.total], [["r::retry::1", "c", "d", "a", "b"], 5]);
      same(
        all.checkpoints.map(({ stateBytes }) => stateBytes),
        [0, 3, 2, 1, 0],
      );
      const bounded = await list({ createdAfterMs: 20, createdBeforeMs: 40 });
      same([bounded.ids, bounded.total], [["r::retry::1", "d", "a"], 3]);
      same((await list({ checkpointId: "a" })).ids, ["a"]);
      same((await list({ checkpointId: "none" })).total, 0);
      same((await list({ limit: 2, offset: 1 })).ids, ["c", "d"]);
      const first = await list({ limit: 3 });
      await t.save("i", "later", "x");
      assert.ok(first.nextCursor !== undefined);
      const second = await list({ limit: 3, cursor: first.nextCursor });
      same([second.ids, second.nextCursor, second.total], [["a", "b"], undefined, undefined]);
    });

    test("an unknown instance, or another tenant's, has neither checkpoints nor events", async () => {
      await t.register("i");
      await t.save("i", "a", "x");
      for (const more of [{ instanceId: "nobody" }, { instanceId: "i", tenantId: "u" }]) {
        same(await t.run({ kind: "listCheckpoints", limit: 9, ...more }), {
          outcome: "page",
          checkpoints: [],
          total: 0,
        });
        same(await t.run({ kind: "listEvents", limit: 9, ...more }), { outcome: "page", events: [], total: 0 });
      }
    });

    test("events: newest first by the client's time, then by arrival; by type, subtype and time", async () => {
      await t.register("i", { nowMs: 1 });
      for (const [subtype, createdAtMs] of [
        ["late", 50],
        ["early", 10],
        ["late too", 50],
        ["middle", 30],
      ] as const)
        await t.event("i", "custom", { subtype, createdAtMs, nowMs: 60 });
      const list = async (more: object = {}) => {
        const result = await t.run({ kind: "listEvents", instanceId: "i", limit: 100, ...more });
        assert.ok(result.outcome === "page");
        return { ...result, subtypes: result.events.map(({ subtype }) => subtype) };
      };
      const all = await list();
      same([all.subtypes, all.total], [["late too", "late", "middle", "early", null], 5]);
      same((await list({ type: "started" })).total, 1);
      same((await list({ subtype: "middle" })).subtypes, ["middle"]);
      same((await list({ createdAfterMs: 30, createdBeforeMs: 50 })).subtypes, ["middle"]);
      same((await list({ limit: 1, offset: 2 })).subtypes, ["middle"]);
      const first = await list({ limit: 1 });
      assert.ok(first.nextCursor !== undefined);
      const second = await list({ limit: 2, cursor: first.nextCursor });
      same(second.subtypes, ["late", "middle"], "between two of one time");
      assert.ok(second.nextCursor !== undefined);
      const third = await list({ limit: 2, cursor: second.nextCursor });
      same([third.subtypes, third.nextCursor], [["early", null], undefined]);
    });

    test("own checkpoints: in the order of saving, with the newest retry of each id, filtered by prefix", async () => {
      await t.register("i");
      await t.save("i", "p/b", "1", { nowMs: 5 });
      await t.save("i", "q", "2");
      const retry = { kind: "recordRetry", instanceId: "i", checkpointId: "p/r" } as const;
      await t.run({ ...retry, attempt: 2, nowMs: 6 });
      await t.run({ ...retry, attempt: 1, error: "e", nextAtMs: 99, nowMs: 7 });
      await t.save("i", "p/a", "3", { nowMs: 8 });
      const own = { kind: "listOwnCheckpoints", instanceId: "i", stateBytesMax: 100, pageBytesMax: 100 } as const;
      same(await t.run({ ...own, epoch: 1, prefix: "p/" }), {
        outcome: "page",
        checkpoints: [
          { checkpointId: "p/b", state: bytes("1"), stateBytes: 1, createdAtMs: 5 },
          { checkpointId: "p/a", state: bytes("3"), stateBytes: 1, createdAtMs: 8 },
        ],
        retries: [{ checkpointId: "p/r", attempt: 1, createdAtMs: 7, nextAtMs: 99, error: "e" }],
      });
      for (const prefix of ["%", "P", "p_", "\\"])
        same(await t.run({ ...own, epoch: 1, prefix }), { outcome: "page", checkpoints: [], retries: [] }, prefix);
      same(await t.run({ ...own, epoch: 2, prefix: "" }), { outcome: "fenced", epoch: 1 });
      same(await t.run({ ...own, instanceId: "nobody", epoch: 1, prefix: "" }), { outcome: "unknownInstance" });
    });

    test("own checkpoints: behind one of them, found or not; a cursor goes on from there", async () => {
      await t.register("i");
      const retry = { kind: "recordRetry", instanceId: "i", attempt: 1, nowMs: 6 } as const;
      await t.run({ ...retry, checkpointId: "r1" });
      for (const id of ["a", "b"]) await t.save("i", id, "12345");
      await t.run({ ...retry, checkpointId: "r2" });
      for (const id of ["c", "d"]) await t.save("i", id, "12345");
      const own = { kind: "listOwnCheckpoints", instanceId: "i", epoch: 1, prefix: "", stateBytesMax: 9 } as const;
      const idsBehind = async (behind: string, prefix = "") => {
        const ids: string[] = [];
        for (let cursor: string | undefined; ; ) {
          const more = cursor === undefined ? {} : { cursor };
          const page = await t.run({ ...own, prefix, behind, pageBytesMax: 5, ...more });
          assert.ok(page.outcome === "page");
          ids.push(...[...page.checkpoints, ...page.retries].map(({ checkpointId }) => checkpointId));
          cursor = page.nextCursor;
          if (cursor === undefined) return ids.sort();
        }
      };
      same(await idsBehind("b"), ["c", "d", "r2"]);
      same(await idsBehind("a", "c"), ["c"]);
      same(await idsBehind("d"), []);
      for (const unknown of ["", "r1", "nothing"]) same(await idsBehind(unknown), ["a", "b", "c", "d", "r1", "r2"]);
    });

    test("own checkpoints: pages end after their bytes, have a row at least, and leave large states out", async () => {
      await t.register("i");
      for (const [n, id] of ["a", "b", "c", "d"].entries()) await t.save("i", id, "12345".repeat(n === 2 ? 10 : 1));
      const seen: (string | number)[][] = [];
      let cursor: string | undefined;
      for (let pages = 0; ; pages += 1) {
        assert.ok(pages < 9);
        const more = cursor === undefined ? {} : { cursor };
        const own = { kind: "listOwnCheckpoints", instanceId: "i", epoch: 1, prefix: "" } as const;
        const page = await t.run({ ...own, stateBytesMax: 20, pageBytesMax: 7, ...more });
        assert.ok(page.outcome === "page" && page.checkpoints.length > 0);
        seen.push(...page.checkpoints.map((one) => [one.checkpointId, one.stateBytes, one.state?.length ?? -1]));
        cursor = page.nextCursor;
        if (cursor === undefined) break;
      }
      same(seen, [
        ["a", 5, 5],
        ["b", 5, 5],
        ["c", 50, -1],
        ["d", 5, 5],
      ]);
    });
  });
}
