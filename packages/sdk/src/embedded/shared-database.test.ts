// Runtimes with connections of their own to one database: what one does another sees, and what both would do is done once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { publish, step, waitFor, workflow } from "../index.ts";
import { until } from "../testing/until.ts";
import { databases } from "./databases.test.helper.ts";
import { lastFirst } from "./local.test.helper.ts";
import { open } from "./open.ts";

for (const [engine, urlOf] of Object.entries(databases)) {
  test(`${engine}: another process reads what is published, signals, and hears the result`, {
    timeout: 60_000,
  }, async (context) => {
    const t = lastFirst(context);
    const store = await urlOf(t);
    const talk = workflow("talk", async () => {
      publish("state", { waits: true });
      const word = await waitFor<string>("word");
      return await step("say", () => word.toUpperCase());
    });
    const runner = await open({ store, workflows: [talk] });
    t.after(() => runner.close({ drain: 0 }));
    const watcher = await open({ store, workflows: [] });
    t.after(() => watcher.close());
    await runner.start(talk, undefined, { id: "i" });
    const handle = watcher.get(talk, "i");
    const result = handle.result();
    await until(async () => (await handle.published("state")) !== undefined);
    assert.deepEqual(await handle.published("state"), { waits: true });
    await handle.signal("word", "now");
    assert.equal(await result, "NOW");
    const listed: string[] = [];
    for await (const { id, status } of watcher.list({ workflow: "talk" })) listed.push(`${id} ${status}`);
    assert.deepEqual(listed, ["i completed"]);
  });

  test(`${engine}: a schedule is fired once each time, whichever runtime does it`, {
    timeout: 60_000,
  }, async (context) => {
    const t = lastFirst(context);
    const store = await urlOf(t);
    const runs: string[] = [];
    const tick = workflow("tick", async (input: { to: string }, { instanceId }) => {
      await step("note", () => runs.push(instanceId));
      return input.to;
    });
    const runtimes = [await open({ store, workflows: [tick] }), await open({ store, workflows: [tick] })];
    t.after(async () => {
      for (const runtime of runtimes) await runtime.close({ drain: 0 });
    });
    const schedule = {
      id: "often",
      workflow: "tick",
      input: { to: "all" },
      cron: "* * * * * *",
      overlap: "all",
    } as const;
    for (const runtime of runtimes) await runtime.schedules.put(schedule);
    await until(() => runs.length >= 3);
    const [runtime] = runtimes;
    assert.ok(runtime);
    await runtime.schedules.delete("often");
    const listed: { id: string; status: string }[] = [];
    await until(async () => {
      listed.length = 0;
      for await (const { id, status } of runtime.list({ workflow: "tick" })) listed.push({ id, status });
      return listed.every(({ status }) => status === "completed");
    });
    assert.deepEqual(runs.toSorted(), [...new Set(runs)].toSorted(), "each planned time is one instance");
    assert.deepEqual(listed.map(({ id }) => id).toSorted(), runs.toSorted());
    for (const { id } of listed) {
      assert.match(id, /^often-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.equal(await runtime.get(tick, id).result(), "all");
    }
  });
}
