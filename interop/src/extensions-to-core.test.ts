// SPDX-License-Identifier: AGPL-3.0-or-later
// Our client offers the original core what only ours understands: each refusal is a clear answer and changes nothing.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before } from "node:test";
import { Features, featureArms, featureNames, instanceClient, QuicClient, requireFeature } from "@runtara/protocol";
import { hex, utf8 } from "./bytes.ts";
import { cell } from "./cell.ts";
import { temporaryFolder } from "./folder.ts";
import { OriginalDatabase } from "./original-database.ts";
import { ServerPeer } from "./peer.ts";

const direction = "ourSdkToCore";
const tenantId = "tenant";
let core: ServerPeer;
let database: OriginalDatabase;

before(async () => {
  const file = join(temporaryFolder(), "core.db");
  core = await ServerPeer.start("original-core", "127.0.0.1:0", file);
  database = new OriginalDatabase(file);
});
after(async () => {
  database[Symbol.dispose]();
  await core.stop();
});

function newClient(): QuicClient {
  return QuicClient.localhost({ serverAddr: core.address });
}

cell(direction, "extension calls refused", async () => {
  await using client = newClient();
  const instance = instanceClient(client);
  const instanceId = "extensions";
  await instance.registerInstance({ instanceId, tenantId });
  await instance.checkpoint({ instanceId, checkpointId: "a", state: utf8("1") });
  const connection = await client.connect();
  const refused = { code: "RPC", rpcCode: "EMPTY_REQUEST" };
  const arms = Object.values(featureArms.instance).flat();
  assert.ok(arms.length >= 10);
  // Whatever is in such a request, the original sees an empty envelope.
  for (const arm of arms) await assert.rejects(instance[arm]({}), refused, arm);
  await assert.rejects(instance.checkpointBatch({ instanceId, entries: [{ checkpointId: "b" }] }), refused);
  await assert.rejects(instance.claimWork({ workerId: "w", tenantId, capacity: 1 }), refused);
  await assert.rejects(instance.suspendUntil({ instanceId, untilMs: 1n }), refused);
  assert.deepEqual(database.checkpointIds(instanceId), ["a"]);
  assert.equal(database.status(instanceId), "running");
  // The base protocol goes on over the same connection.
  assert.equal(connection.isOpen, true);
  assert.equal(await client.connect(), connection);
  assert.equal((await instance.checkpoint({ instanceId, checkpointId: "b", state: utf8("2") })).found, false);
});

cell(direction, "extension fields passed over", async () => {
  await using client = newClient();
  const instance = instanceClient(client);
  const instanceId = "fields";
  const asked = { wantsStartFacts: true, token: "token", client: "ours" };
  const registered = await instance.registerInstance({ instanceId, tenantId, ...asked });
  assert.deepEqual([registered.success, registered.start, registered.fineCode], [true, undefined, undefined]);
  // Nothing announced: everything that needs an extension is refused here, with what to do instead.
  const served = new Features(registered.features);
  for (const name of featureNames) {
    assert.throws(() => requireFeature(served, name), { code: "UNSUPPORTED", message: /base protocol alone.*use a/ });
  }
  const epoch = 7n;
  const saved = await instance.checkpoint({ instanceId, checkpointId: "a", state: utf8("1"), epoch });
  assert.equal(saved.found, false);
  await instance.retryAttempt({ instanceId, checkpointId: "a", attemptNumber: 2, nextAtMs: 9n, epoch });
  const status = await instance.getInstanceStatus({ instanceId });
  assert.equal(status.checkpointId, "a");
  const read = await instance.getCheckpoint({ instanceId, checkpointId: "a" });
  assert.deepEqual([read.found, hex(read.state)], [true, hex("1")]);
  const unknown = instance.checkpoint({ instanceId: "nobody", checkpointId: "a" });
  await assert.rejects(unknown, { rpcCode: "CHECKPOINT_ERROR", fineCode: undefined });
});
