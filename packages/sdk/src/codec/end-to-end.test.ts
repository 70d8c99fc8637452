// A codec from one end to the other: nothing readable lies in the database, and keys change under running instances.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { RuntimeOptions } from "../api/runtime.ts";
import { open } from "../embedded/index.ts";
import type { InstanceFailedError } from "../errors.ts";
import { continueAsNew, emit, publish, sleep, spawn, step, waitFor, workflow } from "../index.ts";
import { temporaryFolder } from "../testing/processes.ts";
import { until } from "../testing/until.ts";
import { aesGcm } from "./index.ts";

const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
/** In every value, so that none of them may show it. */
const secret = "Rosebud";

const child = workflow("child", async (input: { word: string }) => {
  await step("inner", () => `${input.word} inner`);
  return { word: `${input.word} out` };
});
const keeper = workflow("keeper", async (input: { word: string; run: number }) => {
  await step("step", () => new Map([[input.word, new Date(0)]]));
  await step("broken", () => Promise.reject(new RangeError(input.word)), { retry: false }).catch(() => {});
  publish("told", `${input.word} told`);
  emit("noted", [input.word]);
  const inner = await spawn(child, { word: input.word }).result();
  const word = await waitFor<string>("word");
  if (input.run === 1) return continueAsNew({ word: input.word, run: 2 });
  return [inner.word, word];
});
const failing = workflow("failing", async (word: string) => {
  throw new TypeError(word);
});
const patient = workflow("patient", async (word: string) => {
  const first = await step("first", () => `${word} 1`);
  const signal = await waitFor<string>("go");
  await sleep("nap", 1);
  return [first, signal, await step("second", () => `${word} 2`)];
});
const workflows = [child, keeper, failing, patient];

async function runtime(t: TestContext, folder: string, options: RuntimeOptions) {
  const opened = await open({ store: `sqlite:${join(folder, "app.db")}`, workflows, suspendAfter: 0, ...options });
  t.after(() => opened.close({ drain: 0 }));
  return opened;
}

function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(text));
}

test("inputs, results, errors, signals, messages, children and outputs: none of them is readable in the database", async (t) => {
  const folder = temporaryFolder(t);
  const opened = await runtime(t, folder, { codecs: aesGcm({ k: key(1) }) });
  const handle = await opened.start(keeper, { word: secret, run: 1 }, { id: "k" });
  await handle.signal("word", `${secret} one`);
  await handle.signal("word", `${secret} two`);
  assert.deepEqual(await handle.result(), [`${secret} out`, `${secret} two`]);
  assert.equal(await handle.published("told"), `${secret} told`);
  const failed = await opened.start(failing, secret, { id: "f" });
  await assert.rejects(failed.result(), (error: InstanceFailedError) => {
    assert.ok(error.cause instanceof TypeError && error.cause.message === secret);
    return true;
  });
  const shown = [];
  for await (const entry of handle.history()) shown.push(JSON.stringify(entry));
  assert.ok(shown.filter((entry) => entry.includes(secret)).length > 8, "with the key it is all there");
  await opened.close();
  assert.deepEqual(filesWith(folder, secret), []);
  assert.notDeepEqual(filesWith(folder, "aes-256-gcm:k"), [], "what was looked for is there, coded");
});

test("keys are changed under a running instance: it replays under the new one, and waits without the old", async (t) => {
  const folder = temporaryFolder(t);
  const before = await runtime(t, folder, { codecs: aesGcm({ k1: key(1) }) });
  const started = await before.start(patient, secret, { id: "p" });
  await until(async () => (await started.status()).reason === "waiting");
  await before.close();

  const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const without = await runtime(t, folder, { codecs: aesGcm({ k2: key(2) }), logger: quiet });
  const stuck = without.get(patient, "p");
  await stuck.signal("go", "now");
  await until(async () => (await stuck.status()).reason === "diverged");
  await without.close();

  const both = await runtime(t, folder, { codecs: aesGcm({ k2: key(2), k1: key(1) }) });
  const handle = both.get(patient, "p");
  await handle.resume();
  assert.deepEqual(await handle.result(), [`${secret} 1`, "now", `${secret} 2`]);
  await both.close();
  assert.notDeepEqual(filesWith(folder, "aes-256-gcm:k2"), []);
  assert.deepEqual(filesWith(folder, secret), []);
});
