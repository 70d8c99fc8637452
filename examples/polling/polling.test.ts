import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { RetryableError } from "@runtara/sdk";
import { createTest, everyCrash } from "@runtara/testkit";
import { conversion, type Job } from "./polling.ts";

test("it asks after 5, 10, 20 … seconds until the job is done", async () => {
  await using rt = await createTest({ workflows: [conversion], startAt: new Date(0) });
  const asked: number[] = [];
  rt.fake("look", (): Job => {
    asked.push(rt.clock.now() / 1_000);
    return asked.length < 5 ? { state: "running" } : { state: "done", url: "https://example.com/a.pdf" };
  });
  const handle = await rt.start(conversion, "j1");
  await rt.advance("10m");
  assert.deepEqual(asked, [0, 5, 15, 35, 75]);
  assert.equal((await handle.result()).url, "https://example.com/a.pdf");
});

test("a job that takes longer than a day is given up", async () => {
  await using rt = await createTest({ workflows: [conversion] });
  rt.fake("look", () => ({ state: "queued" }));
  const handle = await rt.start(conversion, "j2");
  await rt.advance("2d");
  await assert.rejects(handle.result(), /not done within a day/);
});

test("a server that says how long to wait is believed", async (t) => {
  let answers = 0;
  const server = createServer((_request, response) => {
    answers += 1;
    if (answers === 1) response.writeHead(429, { "retry-after": "120" }).end();
    else response.end('{"state":"done"}');
  }).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  process.env.JOBS_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  await using rt = await createTest({ workflows: [conversion] });
  const handle = await rt.start(conversion, "j3");
  await rt.advance("119s");
  assert.equal(answers, 1);
  await rt.advance("1s");
  assert.equal((await handle.result()).state, "done");
});

test("crashes neither lose nor lengthen a wait", async () => {
  let calls = 0;
  await everyCrash(conversion, "j4", {
    reset: () => {
      calls = 0;
    },
    async drive(rt, handle) {
      const start = rt.clock.now();
      rt.fake("look", (): Job => {
        if (calls++ === 0) throw new RetryableError("busy", { after: "1m" });
        return { state: rt.clock.now() >= start + 75_000 ? "done" : "running" };
      });
      await rt.advance("2m");
      assert.equal((await handle.status()).finishedAt?.getTime(), start + 75_000);
    },
  });
});
