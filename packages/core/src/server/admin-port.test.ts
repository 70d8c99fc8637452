import assert from "node:assert/strict";
import { test } from "node:test";
import { openMemoryStore } from "@runtara/store/memory";
import { type CoreServer, startCore } from "./index.ts";
import { startTestServer } from "./server.test.helper.ts";

const anywhere = "127.0.0.1:0";

test("R15: an admin port that is taken and was not asked for: one warning, and the core goes on without it", async (t) => {
  const first = await startTestServer(t);
  const adminAddr = first.server.adminAddress ?? "";
  const second = await startTestServer(t, { adminAddr, isAdminOptional: true });
  assert.equal(second.server.adminAddress, undefined);
  const warnings = second.log.filter(({ level }) => level === "warn");
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]?.message ?? "", /^the admin port is taken; going on without it/);
  assert.deepEqual(warnings[0]?.details, { address: adminAddr, reason: reasonOf(warnings[0]?.details) });
  // Management is still there, inside the instance protocol.
  assert.equal((await second.operators.instance.healthCheck({})).healthy, true);
});

function reasonOf(details: object | undefined): string {
  const { reason } = details as { reason: string };
  assert.match(reason, /in use/i);
  return reason;
}

test("R15: one that was asked for and is taken ends the start, with its address in one line and nothing left", async (t) => {
  const first = await startTestServer(t);
  const adminAddr = first.server.adminAddress ?? "";
  const store = openMemoryStore();
  let other: CoreServer | undefined;
  await assert.rejects(
    async () => {
      other = await startCore({ store, bindAddr: anywhere, adminAddr });
    },
    (error: Error) => error.message.includes(adminAddr) && !error.message.includes("\n"),
  );
  assert.equal(other, undefined);
  // Also where it may be missing: an address that is none is no taken port.
  const wrong = { store, bindAddr: anywhere, adminAddr: "256.0.0.1:1", isAdminOptional: true };
  await assert.rejects(startCore(wrong), { code: "ADDRESS_INVALID" });
  await store.close();
});

test("an HTTP port that is taken ends the start, and both other ports are free again", async (t) => {
  const first = await startTestServer(t, { httpAddr: anywhere });
  const store = openMemoryStore();
  const httpAddr = first.server.httpAddress ?? "";
  await assert.rejects(startCore({ store, bindAddr: anywhere, adminAddr: anywhere, httpAddr }), { code: "EADDRINUSE" });
  await store.close();
});

test("both ports show one certificate", async (t) => {
  const { server, clients } = await startTestServer(t);
  const [instance, admin] = clients;
  await instance?.connect();
  await admin?.connect();
  assert.match(server.certificatePem, /BEGIN CERTIFICATE/);
});
