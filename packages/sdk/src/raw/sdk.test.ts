import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { type instance, QuicServer } from "@runtara/protocol";
import { TestCore } from "../testing/core-in-process.ts";
import { startCore, temporaryFolder } from "../testing/processes.ts";
import { RuntaraSdk } from "./index.ts";
import { isSdkError, testRawSdk } from "./sdk.test.helper.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

testRawSdk("over the wire", async (t) => {
  const core = await TestCore.start(t);
  return {
    store: core.store,
    sdkFor: (instanceId, more) =>
      new RuntaraSdk({
        instanceId,
        tenantId: "t",
        serverAddr: core.address,
        dangerouslySkipVerification: true,
        ...more,
      }),
    signal: (instanceId, signal) => core.signal(instanceId, signal),
    sendCustom: (instanceId, name, payload) => core.sendCustom(instanceId, name, payload),
  };
});

test("a core that is not there, and settings that can't be used", async () => {
  await using unreachable = new RuntaraSdk({
    instanceId: "i",
    tenantId: "t",
    serverAddr: "127.0.0.1:9",
    dangerouslySkipVerification: true,
    connectTimeoutMs: 100,
  });
  await assert.rejects(unreachable.connect(), isSdkError("Connection", /^connection error: /));
  assert.throws(
    () => new RuntaraSdk({ instanceId: "i", tenantId: "t", serverAddr: "nowhere" }),
    isSdkError("Config", /^configuration error: /),
  );
  assert.throws(
    () => new RuntaraSdk({ instanceId: "i", tenantId: "t", heartbeatIntervalMs: -1 }),
    isSdkError("Config", /heartbeatIntervalMs is -1/),
  );
});

test("an answer of another kind is an unexpected response", async (t) => {
  const server = await QuicServer.listen({
    bindAddr: "127.0.0.1:0",
    onCall: (call) => call.respond({ $typeName: "runtara.instance.SleepResponse" }),
  });
  t.after(() => server.close());
  await using raw = new RuntaraSdk({
    instanceId: "i",
    tenantId: "t",
    serverAddr: server.address,
    dangerouslySkipVerification: true,
  });
  await assert.rejects(raw.getCheckpoint("a"), isSdkError("UnexpectedResponse", /^unexpected response: /));
});

test("the request deadline is real", async (t) => {
  const server = await QuicServer.listen({ bindAddr: "127.0.0.1:0", onCall: () => {} });
  t.after(() => server.close());
  await using raw = new RuntaraSdk({
    instanceId: "i",
    tenantId: "t",
    serverAddr: server.address,
    dangerouslySkipVerification: true,
    requestTimeoutMs: 50,
  });
  await assert.rejects(raw.getCheckpoint("a"), isSdkError("Connection", /^connection error: /));
});

test("the environment gives the configuration", () => {
  assert.throws(
    () => RuntaraSdk.fromEnv({}),
    isSdkError("Config", /^configuration error: RUNTARA_INSTANCE_ID is required$/),
  );
  assert.throws(
    () => RuntaraSdk.fromEnv({ RUNTARA_INSTANCE_ID: "i" }),
    isSdkError("Config", /^configuration error: RUNTARA_TENANT_ID is required$/),
  );
  const env = {
    RUNTARA_INSTANCE_ID: "i",
    RUNTARA_TENANT_ID: "t",
    RUNTARA_SERVER_ADDR: "[::1]:8001",
    RUNTARA_HEARTBEAT_INTERVAL_MS: "0",
  };
  const raw = RuntaraSdk.fromEnv(env);
  assert.deepEqual([raw.instanceId, raw.tenantId, raw.heartbeatIntervalMs], ["i", "t", 0]);
  assert.throws(
    () => RuntaraSdk.fromEnv({ ...env, RUNTARA_CONNECT_TIMEOUT_MS: "x" }),
    isSdkError("Config", /invalid RUNTARA_CONNECT_TIMEOUT_MS/),
  );
  assert.throws(
    () => RuntaraSdk.fromEnv({ ...env, RUNTARA_SKIP_CERT_VERIFICATION: "yes" }),
    isSdkError("Config", /invalid RUNTARA_SKIP_CERT_VERIFICATION/),
  );
  assert.throws(
    () => RuntaraSdk.fromEnv({ ...env, RUNTARA_TRANSPORT: "udp" }),
    isSdkError("Config", /RUNTARA_TRANSPORT=udp can't be read/),
  );
  assert.throws(
    () => RuntaraSdk.fromEnv({ ...env, RUNTARA_CA_FILE: "/nowhere.pem" }),
    isSdkError("Config", /RUNTARA_CA_FILE can't be used: .*\/nowhere\.pem cannot be read/),
  );
  assert.equal(RuntaraSdk.localhost("i", "t").instanceId, "i");
});

test("a sleep goes on with its rest when the core is killed and comes back", async (t) => {
  const database = join(temporaryFolder(t), "core.db");
  const first = await startCore(database, 0);
  await using raw = new RuntaraSdk({
    instanceId: "i",
    tenantId: "t",
    serverAddr: first.address,
    dangerouslySkipVerification: true,
  });
  await raw.register();
  const begin = performance.now();
  let isOver = false;
  const sleeping = raw.sleep("4s", "nap", bytes("")).then(() => {
    isOver = true;
  });
  await raw.heartbeat();
  await first.core.kill();
  const second = await startCore(database, first.port);
  t.after(() => second.core.kill());
  assert.equal(isOver, false);
  await sleeping;
  assert.ok(performance.now() - begin >= 4_000, "never shorter");
});

test("a Rust-like number for an unknown signal counts as cancel", async (t) => {
  const server = await QuicServer.listen({
    bindAddr: "127.0.0.1:0",
    onCall: (call) =>
      call.respond({
        $typeName: "runtara.instance.PollSignalsResponse",
        signal: {
          $typeName: "runtara.instance.Signal",
          instanceId: "i",
          signalType: 9 as instance.SignalType,
          payload: new Uint8Array(0),
        },
      }),
  });
  t.after(() => server.close());
  await using raw = new RuntaraSdk({
    instanceId: "i",
    tenantId: "t",
    serverAddr: server.address,
    dangerouslySkipVerification: true,
  });
  await assert.rejects(raw.checkCancelled(), isSdkError("Cancelled", /instance cancelled/));
});
