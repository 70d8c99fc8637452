import assert from "node:assert/strict";
import { test } from "node:test";
import type { BadCursor } from "@runtara/store";
import fc from "fast-check";
import { limits } from "../limits.ts";
import { onEachDatabase } from "../testing/each-database.ts";
import { InstanceDirectory } from "./instances.ts";
import { PageCursors } from "./page-cursors.ts";
import { readPage } from "./paging.ts";

const seed = new Uint8Array(16);

onEachDatabase((open, engine) => {
  // The memory store holds so many in no time.
  const count = engine === "memory" ? 100_000 : 5_000;
  const small = count / 10;

  test(`totals are true with ${count} instances, on every page`, async (t) => {
    const { store, close } = await open();
    t.after(close);
    for (let from = 0; from < count; from += 1_000) {
      await Promise.all(
        Array.from({ length: 1_000 }, (_, n) => {
          const instanceId = `i${from + n}`;
          const tenantId = n % 10 === 0 ? "small" : "large";
          return store.run({ kind: "startInstance", instanceId, tenantId, tags: {}, seed, nowMs: from + n });
        }),
      );
    }
    const directory = new InstanceDirectory(store, new PageCursors(Date.now));
    const seen = new Set<string>();
    for (let offset = 0; offset < small; offset += small / 4) {
      const { instances, total } = await directory.list({ tenantId: "small", limit: small / 4, offset }, "one");
      assert.equal(total, small);
      for (const { instanceId } of instances) seen.add(instanceId);
    }
    assert.equal(seen.size, small);
    const capped = await directory.list({ limit: 4_294_967_295, offset: 0 }, "one");
    assert.deepEqual([capped.instances.length, capped.total], [Math.min(count, limits.listRowsMax), count]);
  });
});

test("a page behind one that was read begins at its cursor, counts anew, and forgets in time", async () => {
  let nowMs = 0;
  const cursors = new PageCursors(() => nowMs);
  const asked: unknown[] = [];
  const read = (listing: string, offset: number) =>
    readPage(
      cursors,
      listing,
      { limit: 10, offset },
      async (place) => {
        asked.push(place);
        const total = place.cursor === undefined ? 99 : undefined;
        return { outcome: "page" as const, nextCursor: `after ${place.limit}`, total };
      },
      () => 10,
    );
  assert.equal((await read("one", 0)).total, 99);
  assert.equal((await read("one", 10)).total, 99);
  await read("other", 10);
  nowMs += limits.pageCursorMs;
  await read("one", 20);
  assert.deepEqual(asked, [
    { limit: 10, offset: 0 },
    { limit: 10, cursor: "after 10" },
    { limit: 0, offset: 0 },
    { limit: 10, offset: 10 },
    { limit: 10, offset: 20 },
  ]);
});

interface NumberedPage {
  readonly outcome: "page";
  readonly nextCursor: undefined;
  readonly total: number;
  readonly offset: number | undefined;
}

test("a cursor that the store does not know any more is as good as none", async () => {
  const cursors = new PageCursors(() => 0);
  cursors.keep("one", 10, "old");
  const { page, total } = await readPage(
    cursors,
    "one",
    { limit: 10, offset: 10 },
    async ({ cursor, offset }): Promise<NumberedPage | BadCursor> =>
      cursor === undefined ? { outcome: "page", nextCursor: undefined, total: 12, offset } : { outcome: "badCursor" },
    () => 2,
  );
  assert.deepEqual([page.offset, total], [10, 12]);
});

test("never more places than the limit, the youngest of them", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(40), fc.nat(40)), { maxLength: 2_000 }), (kept) => {
      const cursors = new PageCursors(() => 0);
      for (const [listing, offset] of kept) cursors.keep(String(listing), offset, `${listing}/${offset}`);
      const youngest = new Set<string>();
      for (const [listing, offset] of kept.toReversed()) {
        if (youngest.size < limits.pageCursorsMax) youngest.add(`${listing}/${offset}`);
      }
      return kept.every(([listing, offset]) => {
        const key = `${listing}/${offset}`;
        return cursors.find(String(listing), offset) === (youngest.has(key) ? key : undefined);
      });
    }),
  );
});
