import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { listen, type ServerConnection } from "./index.ts";
import { bytes, dial, echo, failure, framed, isEqual, later, pair, serve } from "./peers.test.helper.ts";

const none = new Uint8Array(0);
const index = new URL("./index.ts", import.meta.url).href;

/** A server in a process of its own: echoes calls of type 1 and keeps all others waiting. */
async function spawnServer(
  t: TestContext,
  port: number,
  key: Uint8Array,
): Promise<{ child: ChildProcess; port: number }> {
  const script = `
    import { listen } from ${JSON.stringify(index)};
    const listener = await listen(
      { host: "127.0.0.1", port: ${port}, certificate: "self-signed", resetKey: Buffer.from("${Buffer.from(key).toString("hex")}", "hex") },
      { onCall: (call) => { if (call.type === 1) call.respond(2, call.payload); } },
    );
    console.log(listener.port);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { child, port: Number(line) };
}

test("a server that was killed and is back with its reset key tells old clients at once", async (t) => {
  const key = bytes(32, 7);
  const first = await spawnServer(t, 0, key);
  const transport = { idleTimeoutMs: 600_000, keepAliveIntervalMs: 100 };
  const client = await dial(t, { host: "127.0.0.1", port: first.port }, { transport });
  assert.equal((await client.call(1, none)).type, 2);
  first.child.kill("SIGKILL");
  await once(first.child, "exit");
  const pending = failure(client.call(1, none), "CONNECTION_LOST");
  assert.equal((await spawnServer(t, first.port, key)).port, first.port);
  // The idle timeout is ten minutes, so only a reset can end this.
  const why = await client.closed;
  assert.deepEqual([why.by, why.error?.code], ["lost", "CONNECTION_LOST"]);
  assert.match((await pending).message, /reset/);
});

test("a client whose call was acknowledged but not answered asks a silent server for a sign of life", async (t) => {
  const key = bytes(32, 8);
  const first = await spawnServer(t, 0, key);
  const transport = { idleTimeoutMs: 600_000, keepAliveIntervalMs: 0 };
  const client = await dial(t, { host: "127.0.0.1", port: first.port }, { transport });
  const pending = failure(client.call(3, none), "CONNECTION_LOST");
  // Its answer acknowledges everything before it, so that nothing of the client's is left to be sent again.
  assert.equal((await client.call(1, none)).type, 2);
  first.child.kill("SIGKILL");
  await once(first.child, "exit");
  assert.equal((await spawnServer(t, first.port, key)).port, first.port);
  assert.match((await pending).message, /reset/);
});

test("a reset key of another length is refused", async () => {
  for (const length of [0, 31, 33]) {
    const options = { host: "127.0.0.1", port: 0, certificate: "self-signed", resetKey: bytes(length) } as const;
    await assert.rejects(listen(options, { onCall: echo }), { name: "RangeError", message: /32/ });
  }
});

test("both ends count what a connection carries", async (t) => {
  const kept = later<ServerConnection>();
  const waiting: (() => void)[] = [];
  const allThere = later<void>();
  const listener = await serve(t, {
    onConnection: (connection) => kept.resolve(connection),
    onCall(call) {
      if (call.type === 1) return echo(call);
      waiting.push(() => echo(call));
      if (waiting.length === 3) allThere.resolve();
    },
  });
  const client = await dial(t, listener);
  const server = await kept.promise;
  for (let i = 0; i < 20; i++) await client.call(1, bytes(1000));
  const answers = [1, 2, 3].map(() => client.call(3, none));
  assert.equal(client.stats().callsInFlight, 3);
  await allThere.promise;
  assert.equal(server.stats().callsInFlight, 3);
  for (const stats of [client.stats(), server.stats()]) {
    assert.ok(stats.bytesSent > 20_000 && stats.bytesReceived > 20_000, JSON.stringify(stats));
    assert.ok(stats.rttUs > 0 && stats.congestionWindowBytes > 1_200 && stats.packetsSent > 20, JSON.stringify(stats));
    assert.ok(stats.packetsLost >= 0);
  }
  assert.equal(client.stats().remoteAddress, client.remoteAddress);
  assert.equal(server.stats().remoteAddress, server.remoteAddress);
  for (const answer of waiting) answer();
  await Promise.all(answers);
  assert.deepEqual([client.stats().callsInFlight, server.stats().callsInFlight], [0, 0]);
  await client.close();
  assert.throws(() => client.stats(), { code: "CONNECTION_CLOSED" });
  await listener.close();
  assert.throws(() => server.stats(), { code: "CONNECTION_CLOSED" });
});

test("a client that changes its local address keeps its calls and streams", async (t) => {
  const addresses: string[] = [];
  const held = later<() => void>();
  const client = await pair(t, {
    async onCall(call) {
      addresses.push(call.connection.stats().remoteAddress);
      if (call.type === 1) return echo(call);
      if (call.type === 3) return held.resolve(() => echo(call));
      const stream = call.stream();
      for (let piece = await stream.read(); piece !== undefined; piece = await stream.read()) await stream.write(piece);
      await stream.finish();
    },
  });
  const pending = client.call(3, bytes(10));
  const stream = await client.openStream();
  await stream.write(framed(4, none));
  for (let round = 0; round < 4; round++) {
    await client.call(1, none);
    const part = bytes(5_000, round);
    await stream.write(part);
    const pieces: Uint8Array[] = [];
    for (let have = 0; have < part.length; ) {
      const piece = await stream.read();
      assert.ok(piece !== undefined);
      pieces.push(piece);
      have += piece.length;
    }
    assert.ok(isEqual(Buffer.concat(pieces), part));
    await client.rebind();
  }
  await stream.finish();
  assert.equal(await stream.read(), undefined);
  const answer = await held.promise;
  answer();
  assert.ok(isEqual((await pending).payload, bytes(10)));
  assert.equal((await client.call(1, none)).type, 2);
  assert.ok(new Set(addresses).size >= 5, addresses.join(" "));
  await client.close();
  await failure(client.rebind(), "CONNECTION_CLOSED");
});
