import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, createManagement } from "@runtara/core";
import { onEachEngine } from "../testing/test-core.ts";
import { systemClock } from "../timers/clock.ts";

const never = new AbortController().signal;

/** Follows a tenant as the page says, until its list is as expected: instance ids with their statuses. */
async function follow(
  { feed, instances }: ReturnType<typeof createManagement>,
  until: Readonly<Record<string, string>>,
): Promise<void> {
  const seen: Record<string, string> = {};
  let cursor: { readonly cursor?: string } = {};
  const isDone = () => Object.entries(until).every(([id, status]) => seen[id] === status);
  while (!isDone()) {
    const page = await feed.poll({ tenantId: "t", waitMs: 10_000, ...cursor }, never);
    cursor = { cursor: page.nextCursor };
    const listed = page.reset
      ? (await instances.query({ tenantId: "t", statuses: [], tags: {}, limit: 0 })).instances
      : page.instances;
    for (const { instanceId, status } of listed) seen[instanceId] = status;
    assert.ok(page.reset || page.instances.length > 0, `nothing came in 10 s; seen: ${JSON.stringify(seen)}`);
  }
}

onEachEngine((t) => {
  const manage = () => {
    const management = createManagement({ store: t.store, start: () => assert.fail(), clock: systemClock });
    return Object.assign(management, { [Symbol.dispose]: () => management.close() });
  };

  test("a list that follows the feed shows the changes of this process and of another one", async () => {
    const other = await t.openOther();
    using management = manage();
    await t.start("before");
    await follow(management, { before: "pending" });
    const both = follow(management, { before: "pending", here: "pending", there: "running" });
    await t.start("here");
    await answered((answer) => other.registration.register({ instanceId: "there", tenantId: "t" }, answer));
    await both;
    const ends = follow(management, { here: "cancelled", there: "completed" });
    await management.control.order("kill", { instanceId: "here" });
    const end = { instanceId: "there", type: "completed", timestampMs: 5, payload: new Uint8Array(1) } as const;
    await answered((answer) => other.events.append(end, answer));
    await ends;
  });

  test("while no other process writes, changes come one by one, and nothing has to be read anew", async () => {
    using management = manage();
    let page = await management.feed.poll({ waitMs: 1 }, never);
    // Until it is known that nothing was missed while the listening began.
    while (page.reset) page = await management.feed.poll({ cursor: page.nextCursor, waitMs: 300 }, never);
    for (const instanceId of ["a", "b", "c"]) {
      const polling = management.feed.poll({ cursor: page.nextCursor, waitMs: 10_000 }, never);
      await t.start(instanceId);
      page = await polling;
      assert.deepEqual([page.reset, page.instances.map((one) => one.instanceId)], [false, [instanceId]]);
    }
  });
});
