import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { ref, type Workflow } from "@runtara/sdk";
import { serve } from "@runtara/sdk/worker";
import { runtara, start, startCore, workflows } from "./testing.ts";

test("a worker runs what another process starts; Ctrl-C ends it with 0", async (t) => {
  const core = await startCore(t);
  const worker = start(t, ["worker", workflows, "--workflow", "greet", "refuse", "--server", core.address]);
  await worker.until("ready worker greet,refuse\n");
  assert.equal(worker.stdout(), "ready worker greet,refuse\n");
  const client = await serve([], {
    server: core.address,
    tls: { dangerouslySkipVerification: true },
    handleSignals: false,
  });
  try {
    assert.deepEqual(
      await client.run(ref<Workflow<"greet", { name: string }, { greeting: string }>>("greet"), { name: "Ada" }),
      { greeting: "Hello, Ada" },
    );
  } finally {
    await client.close();
  }
  worker.kill("SIGINT");
  assert.deepEqual(await worker.ended, { code: 0, signal: null });
});

test("a worker that can't begin says why in one line", async (t) => {
  const nowhere = ["--server", "127.0.0.1:9"];
  const env = { RUNTARA_CONNECT_TIMEOUT_MS: "300", RUNTARA_SKIP_CERT_VERIFICATION: "true" };
  const cases: [string[], RegExp, number][] = [
    [[workflows, ...nowhere], /no core answers at 127\.0\.0\.1:9 .*npx runtara core/, 75],
    [[join(workflows, "../no-workflow.ts")], /no-workflow\.ts exports no workflow/, 78],
    [["nowhere.ts"], /nowhere\.ts does not exist/, 78],
    [[workflows, "--workflow", "other"], /no file exports a workflow named "other"; there are: greet, /, 1],
    [[workflows, "--instances", "0"], /--instances is 0; it must be a whole number/, 1],
    [[workflows, "--drain", "soon"], /drain.*soon/, 78],
  ];
  for (const [args, message, code] of cases) {
    const ended = await runtara(t, ["worker", ...args], env);
    assert.match(ended.stderr, message);
    assert.equal(ended.code, code, ended.stderr);
    assert.equal(ended.stderr.trimEnd().split("\n").length, 1, ended.stderr);
    assert.equal(ended.stdout, "");
  }
});
