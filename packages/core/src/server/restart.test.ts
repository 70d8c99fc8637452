import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { create, instance, QuicClient, sendRequest } from "@runtara/protocol";
import { kill, startCoreChild } from "../testing/core-child.ts";

// Neither side ever counts a connection as lost for its silence, and neither sends keep-alives: that these tests end at
// all is because the core says that it has forgotten the connection.
const env = { RUNTARA_QUIC_IDLE_TIMEOUT_MS: "0", RUNTARA_QUIC_KEEP_ALIVE_MS: "0" };
const patient = { idleTimeoutMs: 0, keepAliveIntervalMs: 0, requestTimeoutMs: 0 };

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "runtara-restart-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const question = create(instance.GetInstanceStatusRequestSchema, { instanceId: "i" });

test("the first packet to a core that was killed and is back ends the connection, and the next call gets through", async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "core.db");
  const settings = { ...env, DATA_DIR: join(folder, "data") };
  const first = await startCoreChild(path, undefined, settings);
  const client = QuicClient.localhost({ serverAddr: first.address, ...patient });
  const connection = await client.connect();
  const register = create(instance.RegisterInstanceRequestSchema, { instanceId: "i", tenantId: "t" });
  assert.equal((await sendRequest(client, register)).success, true);
  await kill(first);
  const second = await startCoreChild(path, first.address, settings);
  t.after(() => kill(second));
  t.after(() => client.close());
  await assert.rejects(sendRequest(connection, question), { code: "CONNECTION_LOST" });
  assert.equal((await connection.closed).by, "lost");
  const { status } = await client.call(question);
  assert.equal(status, instance.InstanceStatus.STATUS_RUNNING);
});

test("a repeated call of a client goes to the core that is back by itself", async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "core.db");
  const settings = { ...env, DATA_DIR: join(folder, "data") };
  const first = await startCoreChild(path, undefined, settings);
  const client = QuicClient.localhost({ serverAddr: first.address, ...patient });
  t.after(() => client.close());
  await client.call(question);
  await kill(first);
  const second = await startCoreChild(path, first.address, settings);
  t.after(() => kill(second));
  assert.equal((await client.call(question)).status, instance.InstanceStatus.STATUS_UNKNOWN);
});
