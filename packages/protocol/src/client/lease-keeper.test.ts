import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import type { ServerCall } from "../server/call.ts";
import { QuicServer } from "../server/server.ts";
import { http2Transport } from "../transport/http2/transport.ts";
import { memoryTransport } from "../transport/memory/transport.ts";
import { QuicClient } from "./client.ts";

const index = new URL("../index.ts", import.meta.url).href;
const renewal = create(instance.RenewLeaseRequestSchema, { workerId: "w", leaseMs: 5_000 });
const pace = { everyMs: 50, quietMs: 100, stopMs: 60_000 };

/** Answers renewals and status questions; "close" as the instance asked for ends the connection. Notes what came. */
async function server(t: TestContext, log: string[]): Promise<QuicServer> {
  const listening = await QuicServer.listen({
    features: ["work-queue"],
    onCall(call: ServerCall) {
      const { request } = call;
      if (request.case === "renewLease") {
        log.push(`renewed ${request.value.workerId}`);
        call.respond(create(instance.RenewLeaseResponseSchema, { leaseUntilMs: 1n }));
      } else if (request.case === "getInstanceStatus") {
        const { instanceId } = request.value;
        log.push(instanceId);
        call.respond(create(instance.GetInstanceStatusResponseSchema, { instanceId }));
        if (instanceId === "close") setImmediate(() => call.connection.close(0, "asked for"));
      }
    },
  });
  t.after(() => listening.close());
  return listening;
}

/** Runs a worker in a process of its own. */
async function worker(t: TestContext, address: string, script: string): Promise<void> {
  const program = `
    import { create, instance, QuicClient } from ${JSON.stringify(index)};
    const client = QuicClient.localhost({ serverAddr: ${JSON.stringify(address)} });
    const say = (instanceId) => client.request(instance.GetInstanceStatusRequestSchema, { instanceId });
    const block = (ms) => { for (const end = Date.now() + ms; Date.now() < end; ); };
    const keeper = client.keepLease(create(instance.RenewLeaseRequestSchema, { workerId: "w", leaseMs: 5000 }), ${JSON.stringify(pace)});
    ${script}
    await client.close();
  `;
  const child = spawn(process.execPath, [...process.execArgv, "--input-type=module", "--eval", program], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const [code] = await once(child, "close");
  assert.equal(code, 0);
}

test("R22: while a worker's event loop is busy its lease is renewed, also over a later connection, until it is ended", async (t) => {
  const log: string[] = [];
  const { address } = await server(t, log);
  await worker(
    t,
    address,
    `
      await say("first");
      keeper.sign();
      block(700);
      keeper.sign();
      // The connection may go before the answer has come.
      await say("close").catch(() => {});
      while (client.isConnected) await new Promise(setImmediate);
      await say("second");
      block(700);
      keeper.end();
      await say("third");
      block(400);
      await say("fourth");
    `,
  );
  const renewed = (from: string, to: string) =>
    log.slice(log.indexOf(from), log.indexOf(to)).filter((text) => text === "renewed w").length;
  assert.ok(renewed("first", "close") >= 1);
  assert.ok(renewed("second", "third") >= 1);
  // One may have been on its way when it was ended.
  assert.ok(renewed("third", "fourth") <= 1);
});

test("where only the event loop can send, a keeper does nothing and does no harm", async () => {
  for (const transport of [http2Transport, memoryTransport()]) {
    const log: string[] = [];
    const listening = await QuicServer.listen({
      transport,
      onCall(call: ServerCall) {
        log.push(call.request.case ?? "");
        call.respond(create(instance.GetInstanceStatusResponseSchema, { instanceId: "i" }));
      },
    });
    const client = QuicClient.localhost({ serverAddr: listening.address, transport });
    const keeper = client.keepLease(renewal, { everyMs: 1, quietMs: 1, stopMs: 60_000 });
    for (let n = 0; n < 20; n++) await client.request(instance.GetInstanceStatusRequestSchema, { instanceId: "i" });
    keeper.sign();
    keeper.end();
    keeper.end();
    assert.ok(log.every((name) => name === "getInstanceStatus"));
    await client.close();
    await listening.close();
  }
});

test("times that are none are refused before anything is sent", () => {
  const client = QuicClient.localhost({ serverAddr: "127.0.0.1:9" });
  for (const wrong of [{ everyMs: 0 }, { quietMs: -1 }, { stopMs: Number.NaN }]) {
    assert.throws(() => client.keepLease(renewal, { ...pace, ...wrong }), { code: "OPTION_INVALID" });
  }
});
