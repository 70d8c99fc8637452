import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerConnection } from "./index.ts";
import { bytes, dial, echo, framed, isEqual, later, serve } from "./peers.test.helper.ts";
import { relay } from "./relay.test.helper.ts";

const none = new Uint8Array(0);

test("a client that rebinds with calls in flight keeps them, and the server sees its new address", async (t) => {
  const opened = later<ServerConnection>();
  const held: (() => void)[] = [];
  const allHeld = later<void>();
  const listener = await serve(t, {
    onConnection: (connection) => opened.resolve(connection),
    onCall(call) {
      if (call.type === 1) return echo(call);
      held.push(() => echo(call));
      if (held.length === 20) allHeld.resolve();
    },
  });
  const client = await dial(t, listener);
  const server = await opened.promise;
  const before = server.stats().remoteAddress;
  const inFlight = Array.from({ length: 20 }, (_, index) => client.call(2, bytes(3_000, index + 1)));
  await allHeld.promise;
  await client.rebind();
  assert.equal((await client.call(1, Buffer.from("from the new address"))).payload.length, 20);
  const after = server.stats().remoteAddress;
  assert.notEqual(after, before);
  assert.equal(server.remoteAddress, before, "this one stays that of the handshake");
  for (const answer of held) answer();
  for (const [index, answer] of (await Promise.all(inFlight)).entries()) {
    assert.ok(isEqual(answer.payload, bytes(3_000, index + 1)));
  }
  assert.equal(listener.stats().connections, 1);
});

test("a NAT that forgets its ports in mid-connection cuts neither calls nor streams", async (t) => {
  const opened = later<ServerConnection>();
  const held = later<() => void>();
  const addresses = new Set<string>();
  const listener = await serve(t, {
    onConnection: (connection) => opened.resolve(connection),
    async onCall(call) {
      addresses.add(call.connection.stats().remoteAddress);
      if (call.type === 1) return echo(call);
      if (call.type === 2) return held.resolve(() => echo(call));
      const stream = call.stream();
      for (let piece = await stream.read(); piece !== undefined; piece = await stream.read()) await stream.write(piece);
      await stream.finish();
    },
  });
  const network = await relay(t, listener.port);
  const client = await dial(t, network);
  const server = await opened.promise;
  const pending = client.call(2, bytes(2_000));
  const stream = await client.openStream();
  await stream.write(framed(3, none));
  for (let round = 1; round <= 3; round++) {
    network.forget();
    assert.ok(isEqual((await client.call(1, bytes(5_000, round))).payload, bytes(5_000, round)));
    await stream.write(bytes(100, round));
    const pieces: Uint8Array[] = [];
    for (let have = 0; have < 100; have += pieces.at(-1)?.length ?? 0) pieces.push((await stream.read()) ?? none);
    assert.ok(isEqual(Buffer.concat(pieces), bytes(100, round)));
  }
  (await held.promise)();
  assert.ok(isEqual((await pending).payload, bytes(2_000)));
  await stream.finish();
  assert.equal(await stream.read(), undefined);
  assert.equal(server.isOpen, true);
  assert.ok(addresses.size >= 3, [...addresses].join(" "));
});
