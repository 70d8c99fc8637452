import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { generateCertificate, instance } from "@runtara/protocol";
import { sleep, step, waitFor, waitForAny } from "../functions.ts";
import { TestCore } from "../testing/core-in-process.ts";
import { olderCore } from "../testing/older-core.ts";
import { temporaryFolder } from "../testing/processes.ts";
import { workflow } from "../workflow.ts";
import { settingsFromEnv } from "./environment.ts";
import { loadWorkflow } from "./load-workflow.ts";
import { runFromEnvironment } from "./run-image.ts";
import { runInstance } from "./run-instance.ts";

const double = workflow("double", async (input: { n: number }) => {
  if (input.n < 0) throw new RangeError("negative");
  return step("double", () => input.n * 2);
});

test("an image takes input from a file, writes its outcome to a file, and ends with the documented code", async (t) => {
  const core = await TestCore.start(t);
  const folder = temporaryFolder(t);
  t.mock.method(console, "error", () => {});
  const run = async (instanceId: string, input: string): Promise<{ code: number; output: string | undefined }> => {
    const [inputPath, outputPath] = [join(folder, `${instanceId}.in`), join(folder, `${instanceId}.out`)];
    writeFileSync(inputPath, input);
    const env = {
      RUNTARA_INSTANCE_ID: instanceId,
      RUNTARA_TENANT_ID: "t",
      RUNTARA_SERVER_ADDR: core.address,
      RUNTARA_SKIP_CERT_VERIFICATION: "true",
      RUNTARA_INPUT_PATH: inputPath,
      RUNTARA_OUTPUT_PATH: outputPath,
    };
    const code = await runFromEnvironment(double, env, {});
    return { code, output: existsSync(outputPath) ? readFileSync(outputPath, "utf8") : undefined };
  };
  assert.deepEqual(await run("good", '{"n":4}'), { code: 0, output: '{"status":"completed","result":8}' });
  assert.deepEqual(await run("bad", '{"n":-4}'), {
    code: 1,
    output: '{"status":"failed","error":"RangeError: negative"}',
  });
  assert.deepEqual(await run("torn", '{"n":'), { code: 78, output: undefined });
});

for (const isOlder of [false, true]) {
  const on = isOlder ? "a core of the base protocol" : "a core of ours";
  test(`an image gives its process back while it waits, and goes on when it is started again, on ${on}`, async (t) => {
    const core = await TestCore.start(t);
    const folder = temporaryFolder(t);
    const order = workflow("order", async (input: { n: number }) => {
      const first = await step("first", () => input.n + 1);
      await sleep("night", "8h");
      return first;
    });
    const outputPath = join(folder, "out.json");
    const env = {
      RUNTARA_INSTANCE_ID: "i",
      RUNTARA_SERVER_ADDR: isOlder ? await olderCore(t, core, () => false) : core.address,
      RUNTARA_SKIP_CERT_VERIFICATION: "true",
      RUNTARA_INPUT_PATH: join(folder, "in.json"),
      RUNTARA_OUTPUT_PATH: outputPath,
    };
    writeFileSync(env.RUNTARA_INPUT_PATH, '{"n":1}');
    const output = (): { status: string; checkpoint_id?: string; wake_after_ms?: number } =>
      JSON.parse(readFileSync(outputPath, "utf8")) as never;
    assert.equal(await runFromEnvironment(order, env, {}), 0);
    const { wake_after_ms: wakeAfterMs = 0, ...rest } = output();
    assert.deepEqual(rest, { status: "sleeping", checkpoint_id: "first" });
    assert.ok(wakeAfterMs > 7.9 * 3_600_000 && wakeAfterMs <= 8 * 3_600_000, String(wakeAfterMs));
    const { status } = await core.status("i");
    const { STATUS_RUNNING, STATUS_SUSPENDED } = instance.InstanceStatus;
    assert.equal(
      status,
      isOlder ? STATUS_RUNNING : STATUS_SUSPENDED,
      "where the core can't wake it, the output says when",
    );
    // A launcher of 1.4.1 gives a woken process an empty input.
    writeFileSync(env.RUNTARA_INPUT_PATH, "{}");
    assert.equal(await runFromEnvironment(order, env, {}), 0);
    assert.equal(output().status, "sleeping");
  });

  test(`an image waits for signals, on ${on}`, async (t) => {
    const core = await TestCore.start(t);
    const order = workflow("order", async () => {
      const first = await waitFor("go");
      const second = await step("between", () => 2);
      const late = await waitFor("never", { timeout: 5 });
      return [first, second, late, (await waitForAny(["stop", "other"]))?.name];
    });
    const server = isOlder ? await olderCore(t, core, () => false) : core.address;
    const running = runInstance(order, { ...core.options("i", { server }), signalPollIntervalMs: 10 });
    for (const [name, payload] of [
      ["go", '{"by":"Ada"}'],
      ["other", "1"],
    ] as const) {
      for (;;) {
        // It must be there before anything can be sent to it.
        try {
          await core.sendCustom("i", name, new TextEncoder().encode(payload), !isOlder);
          break;
        } catch {
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    }
    const outcome = await running;
    assert.ok(outcome.status === "completed", String("error" in outcome && outcome.error));
    assert.deepEqual(outcome.output, [{ by: "Ada" }, 2, undefined, "other"]);
  });
}

test("no core gives 75, a broken setting 78, with one line each", async (t) => {
  const lines = t.mock.method(console, "error", () => {});
  const env = { RUNTARA_INSTANCE_ID: "i", RUNTARA_SERVER_ADDR: "127.0.0.1:9", RUNTARA_CONNECT_TIMEOUT_MS: "100" };
  assert.equal(await runFromEnvironment(double, env, { input: { n: 1 }, dangerouslySkipVerification: true }), 75);
  assert.equal(await runFromEnvironment(double, { ...env, RUNTARA_HEARTBEAT_INTERVAL_MS: "soon" }, {}), 78);
  assert.equal(await runFromEnvironment(double, {}, {}), 78);
  const texts = lines.mock.calls.map((call) => String(call.arguments[0]));
  assert.match(texts[0] ?? "", /^ConnectionError: no core answers at 127\.0\.0\.1:9/);
  assert.equal(
    texts[1],
    "ConfigError: RUNTARA_HEARTBEAT_INTERVAL_MS=soon can't be read: it must be whole milliseconds, 0 to 2147483647",
  );
  assert.match(texts[2] ?? "", /RUNTARA_INSTANCE_ID is not set/);
});

test("the environment is read as documented; what can't be read is never a silent default", (t) => {
  const folder = temporaryFolder(t);
  const { certPem: caPem } = generateCertificate({ names: ["Test authority"], usage: "ca", days: 1 });
  writeFileSync(join(folder, "ca.pem"), caPem);
  assert.deepEqual(settingsFromEnv({}), {});
  assert.deepEqual(
    settingsFromEnv({
      RUNTARA_SERVER_ADDR: "core:1",
      RUNTARA_SERVER_NAME: "",
      RUNTARA_SKIP_CERT_VERIFICATION: "0",
      RUNTARA_CA_FILE: join(folder, "ca.pem"),
      RUNTARA_REQUEST_TIMEOUT_MS: "0",
      RUNTARA_CHECKPOINT_ID: "unused",
    }),
    { server: "core:1", dangerouslySkipVerification: false, caPem, requestTimeoutMs: 0 },
  );
  for (const env of [
    { RUNTARA_SKIP_CERT_VERIFICATION: "yes" },
    { RUNTARA_CONNECT_TIMEOUT_MS: "0" },
    { RUNTARA_CONNECT_TIMEOUT_MS: "-1" },
    { RUNTARA_CA_FILE: "/nowhere.pem" },
    { RUNTARA_KEY_FILE: "k" },
  ]) {
    assert.throws(
      () => settingsFromEnv(env),
      (error: Error) => error.name === "ConfigError" && error.message.includes(Object.keys(env)[0] as string),
    );
  }
});

test("a workflow file is loaded: by name, as default, or the only one; everything else is one clear line", async (t) => {
  const folder = temporaryFolder(t);
  const sdk = new URL("../index.ts", import.meta.url).href;
  const write = (name: string, code: string): string => {
    const path = join(folder, name);
    writeFileSync(path, `import { workflow } from ${JSON.stringify(sdk)};\n${code}`);
    return path;
  };
  const only = write(
    "only.ts",
    'export const a = workflow("a", async () => 1); export const same = a; export const x: number = 5;',
  );
  const several = write(
    "several.ts",
    'export const a = workflow("a", async () => 1); export const b = workflow("b", async () => 1);',
  );
  const standard = write(
    "default.ts",
    'export const a = workflow("a", async () => 1); export default workflow("d", async () => 1);',
  );
  assert.equal((await loadWorkflow(only)).name, "a");
  assert.equal((await loadWorkflow(new URL(`file://${several}`), "b")).name, "b");
  assert.equal((await loadWorkflow(standard)).name, "d");
  assert.equal((await loadWorkflow(standard, "a")).name, "a");
  const failures: [string, string | undefined, RegExp][] = [
    [several, undefined, /exports several workflows \(a, b\) and none as default: choose one with --workflow NAME/],
    [several, "c", /exports no workflow named "c"; it has: a, b/],
    [write("none.ts", "export const x = workflow;"), undefined, /exports no workflow; it needs/],
    [write("throws.ts", 'throw new Error("first\\nsecond");'), undefined, /can't be loaded: Error: first second$/],
    [write("syntax.ts", "export const = 5;"), undefined, /can't be loaded: SyntaxError/],
    [join(folder, "missing.ts"), undefined, /missing\.ts does not exist/],
  ];
  for (const [file, name, message] of failures) {
    await assert.rejects(
      loadWorkflow(file, name),
      (error: Error) => error.name === "ConfigError" && message.test(error.message) && !error.message.includes("\n"),
    );
  }
});
