// The low-level SDK on a database: all that it must do over the wire, and what is its own.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { isSdkError, testRawSdk } from "../raw/sdk.test.helper.ts";
import { embeddedSdk } from "./embedded-sdk.ts";
import { bytes, engines, folder, LocalWorker, storeOf, text } from "./local.test.helper.ts";

for (const engine of engines) {
  testRawSdk(`embedded on ${engine}`, async (t) => {
    const store = await storeOf(t, engine);
    const { operator } = new LocalWorker(t, store);
    return {
      store,
      sdkFor: (instanceId, more) => embeddedSdk(store, instanceId, "t", more),
      signal: (instanceId, signal) => operator.order(instanceId, signal),
      sendCustom: async (instanceId, name, payload) => {
        await store.run({ kind: "sendCustomSignal", instanceId, name, payload, queued: false, nowMs: Date.now() });
      },
    };
  });
}

test("a database by its URL is opened by the first call, and anew after close", async (t) => {
  const url = `sqlite:${join(folder(t), "raw.db")}`;
  const sdk = embeddedSdk(url, "i", "t");
  assert.equal(sdk.isConnected, false);
  await sdk.register();
  await sdk.checkpoint("a", bytes("1"));
  await sdk.close();
  assert.equal(sdk.isConnected, false);
  assert.equal(text(await sdk.getCheckpoint("a")), "1");
  await sdk.close();
  await assert.rejects(
    embeddedSdk("mysql://nowhere", "i", "t").connect(),
    isSdkError("Connection", /connection error/),
  );
});

test("I5: whoever registers later fences the one before", async (t) => {
  const store = await storeOf(t, "sqlite");
  const first = embeddedSdk(store, "i", "t");
  const second = embeddedSdk(store, "i", "t");
  t.after(() => Promise.all([first.close(), second.close()]).then(() => undefined));
  await first.register();
  await second.register();
  await assert.rejects(first.checkpoint("a", bytes("1")), isSdkError("Server", /CHECKPOINT_ERROR - .*stop writing/));
  assert.equal((await second.checkpoint("a", bytes("2"))).found, false);
});
