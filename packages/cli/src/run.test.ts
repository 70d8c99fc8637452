import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { runtara, start, startCore, workflows } from "./testing.ts";

const run = (name: string, server: string, ...more: string[]) => [
  "run",
  workflows,
  "--workflow",
  name,
  "--server",
  server,
  ...more,
];

test("runs a workflow, prints its output, and answers a finished instance from the store", async (t) => {
  const core = await startCore(t);
  const line = run("greet", core.address, "--instance", "g1", "--json", "--progress", "none");
  const first = await runtara(t, [...line, "--input", '{"name":"Ada"}']);
  assert.deepEqual(JSON.parse(first.stdout), {
    instanceId: "g1",
    status: "completed",
    earlier: false,
    output: { greeting: "Hello, Ada" },
  });
  assert.equal(first.stderr, "");
  assert.equal(first.code, 0);

  const again = await runtara(t, line);
  assert.deepEqual(JSON.parse(again.stdout), {
    instanceId: "g1",
    status: "completed",
    earlier: true,
    output: { greeting: "Hello, Ada" },
  });
  assert.equal(again.code, 0);

  const other = await runtara(t, [...line, "--input", '{"name":"Bob"}']);
  assert.match(other.stderr, /g1.*name/);
  assert.equal(other.code, 1);
});

test("without --json the output alone is on stdout", async (t) => {
  const core = await startCore(t);
  const ended = await runtara(t, run("greet", core.address, "--input", '{"name":"Ada"}'));
  assert.equal(ended.stdout, '{"greeting":"Hello, Ada"}\n');
  assert.match(ended.stderr, /^instance [0-9a-f-]{36}: started$/m);
  assert.match(ended.stderr, /^log info: greeted \{"name":"Ada"\}$/m);
});

test("a step that throws: the error names the step, exit 1, and again from the store", async (t) => {
  const core = await startCore(t);
  const line = run("refuse", core.address, "--instance", "r1", "--progress", "none");
  for (let time = 0; time < 2; time++) {
    const ended = await runtara(t, line);
    assert.match(ended.stderr, /instance r1 failed: .*TypeError.*the card is blocked/);
    assert.equal(ended.stdout, "");
    assert.equal(ended.code, 1);
  }
});

test("a result that cannot be stored: the error names step and path", async (t) => {
  const core = await startCore(t);
  const ended = await runtara(t, run("unstorable", core.address, "--progress", "none"));
  assert.match(ended.stderr, /step "open"/);
  assert.match(ended.stderr, /items\[0\]\.socket/);
  assert.equal(ended.code, 1);
});

test("a file without a workflow, a missing file, unreadable input, no core: one line each", async (t) => {
  const none = await runtara(t, ["run", join(workflows, "../no-workflow.ts")]);
  assert.match(none.stderr, /no-workflow\.ts exports no workflow/);
  assert.equal(none.code, 78);
  const missing = await runtara(t, ["run", "nowhere.ts"]);
  assert.match(missing.stderr, /nowhere\.ts does not exist/);
  assert.equal(missing.code, 78);
  const several = await runtara(t, ["run", workflows]);
  assert.match(several.stderr, /several workflows.*greet.*--workflow/);
  const input = await runtara(t, run("greet", "127.0.0.1:9", "--input", "{name}"));
  assert.match(input.stderr, /--input is not JSON/);
  assert.equal(input.code, 1);
  const core = await runtara(t, run("greet", "127.0.0.1:9", "--progress", "none"), {
    RUNTARA_CONNECT_TIMEOUT_MS: "300",
  });
  assert.match(core.stderr, /no core answers at 127\.0\.0\.1:9 .*npx runtara core/);
  assert.equal(core.code, 75);
  for (const { stderr } of [none, missing, several, input, core])
    assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
});

test("Ctrl-C stops a run, the same command goes on with what was kept", async (t) => {
  const core = await startCore(t);
  const line = run("slow", core.address, "--instance", "s1");
  const first = start(t, [...line, "--progress", "json"]);
  await first.until('"id":"first"');
  first.kill("SIGINT");
  assert.equal((await first.ended).code, 130);
  assert.match(first.stderr(), /go on with --instance s1/);

  const second = start(t, [...line, "--progress", "json"]);
  await second.until('"type":"live"');
  assert.match(second.stderr(), /"replayed":1/);
});

test("code that no longer fits its history stops with both sides named, a line each, and goes on after the repair", async (t) => {
  const core = await startCore(t);
  const line = run("renamed", core.address, "--instance", "d1", "--progress", "json");
  const first = start(t, line);
  await first.until('"id":"before"');
  first.kill("SIGKILL");
  await first.ended;

  const changed = await runtara(t, line, { DIVERGE: "1" });
  assert.equal(changed.code, 1);
  assert.match(
    changed.stderr,
    /^runtara: workflow "renamed", instance d1: code and history differ at entry 2 of 2\.$/m,
  );
  assert.match(changed.stderr, /^ {2}history: step "before" .*workflows\.ts:\d+:\d+/m);
  assert.match(changed.stderr, /^ {2}code: {4}step "after" .*nothing was executed/m);

  const repaired = start(t, line);
  await repaired.until('"type":"live"');
  assert.match(repaired.stderr(), /"replayed":2/);
});
