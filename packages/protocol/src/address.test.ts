import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, interleaved, isLoopback, parseAddress, resolveHost, resolveHosts } from "./address.ts";
import { ProtocolError } from "./errors.ts";

const isInvalid = (error: unknown): boolean => error instanceof ProtocolError && error.code === "ADDRESS_INVALID";

test("ip:port, [v6]:port and host:port", () => {
  assert.deepEqual(parseAddress("127.0.0.1:8001"), { host: "127.0.0.1", port: 8001 });
  assert.deepEqual(parseAddress("[::1]:8001"), { host: "::1", port: 8001 });
  assert.deepEqual(parseAddress("core.internal:65535"), { host: "core.internal", port: 65_535 });
  assert.deepEqual(parseAddress("0.0.0.0:0"), { host: "0.0.0.0", port: 0 });
});

test("anything else is refused with the text and what is expected", () => {
  for (const text of ["", "8001", ":8001", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "::1:8001"]) {
    assert.throws(() => parseAddress(text), isInvalid, text);
  }
  for (const text of [
    "[127.0.0.1]:1",
    "[::1]",
    "[zz]:1",
    "1.2.3:1",
    "1.2.3.4.5:1",
    "256.0.0.1:1",
    "a b:1",
    "http://h:1",
  ]) {
    assert.throws(() => parseAddress(text), isInvalid, text);
  }
  assert.throws(() => parseAddress("nonsense"), /invalid address "nonsense".*127\.0\.0\.1:8001/);
});

test("what is parsed is formatted as it was", () => {
  for (const text of ["127.0.0.1:8001", "[::1]:8001", "localhost:1"]) {
    assert.equal(formatAddress(parseAddress(text)), text);
  }
});

test("host names are looked up, IPv4 first; addresses are left alone", async () => {
  assert.equal(await resolveHost("localhost"), "127.0.0.1");
  assert.equal(await resolveHost("::1"), "::1");
  await assert.rejects(resolveHost("no-such-host.invalid"), isInvalid);
});

test("loopback", () => {
  assert.ok(isLoopback("127.0.0.1") && isLoopback("127.9.9.9") && isLoopback("::1"));
  assert.ok(!isLoopback("10.0.0.1") && !isLoopback("::") && !isLoopback("127.example.com"));
});

test("addresses are tried IPv6 and IPv4 in turn, IPv4 first on loopback", async () => {
  assert.deepEqual(interleaved(["1.1.1.1", "1.1.1.2", "1.1.1.3", "fd00::1"]), [
    "fd00::1",
    "1.1.1.1",
    "1.1.1.2",
    "1.1.1.3",
  ]);
  assert.deepEqual(interleaved(["fd00::1", "fd00::2", "1.1.1.1"]), ["fd00::1", "1.1.1.1", "fd00::2"]);
  assert.deepEqual(interleaved(["::1", "127.0.0.1"]), ["127.0.0.1", "::1"]);
  assert.deepEqual(interleaved([]), []);
  assert.equal((await resolveHosts("localhost"))[0], "127.0.0.1");
  assert.deepEqual(await resolveHosts("fd00::1"), ["fd00::1"]);
  await assert.rejects(resolveHosts("no-such-host.invalid"), isInvalid);
});
