import assert from "node:assert/strict";
import dns from "node:dns/promises";
import { syncBuiltinESMExports } from "node:module";
import { after, before, mock, test } from "node:test";
import { isProtocolError } from "../errors.ts";
import { memoryTransport } from "../transport/memory/transport.ts";
import { QuicClient } from "./client.ts";

// A resolver whose servers do not answer.
before(() => {
  mock.method(dns, "lookup", () => new Promise(() => {}));
  syncBuiltinESMExports();
});
after(() => {
  mock.restoreAll();
  syncBuiltinESMExports();
});

test("a name server that does not answer is part of connectTimeoutMs", async () => {
  const client = new QuicClient({
    transport: memoryTransport(),
    serverAddr: "core.example:8001",
    connectTimeoutMs: 30,
    retry: false,
  });
  const message = "connection timed out after 30ms: no answer from DNS for core.example";
  await assert.rejects(client.connect(), { code: "CONNECT_TIMEOUT", message });
});

test("and close() does not wait for it", async () => {
  const client = new QuicClient({
    transport: memoryTransport(),
    serverAddr: "core.example:8001",
    connectTimeoutMs: 0,
  });
  const connecting = client.connect().catch((error: unknown) => error);
  await client.close();
  const error = await connecting;
  assert.ok(isProtocolError(error) && error.code === "ENDPOINT_CLOSED", String(error));
});
