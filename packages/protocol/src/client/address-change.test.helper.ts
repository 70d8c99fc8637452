import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import { QuicClient } from "./client.ts";

// Runs as root of a network namespace of its own. A cable leads from here to a second one, in which a server listens. While
// client and server are connected, this side's address changes, and is away for a while.

const ip = (...words: string[]): Buffer => execFileSync("ip", words);
ip("link", "add", "here", "type", "veth", "peer", "name", "there");
const program = new URL("./address-change-server.test.helper.ts", import.meta.url).pathname;
const command = [process.execPath, ...process.execArgv, program, "10.9.0.2:0"];
// The marker says that the second namespace is made.
const server = spawn("unshare", ["-n", "sh", "-c", 'echo made; exec "$0" "$@"', ...command], {
  stdio: ["pipe", "pipe", "inherit"],
});
try {
  await once(server.stdout, "data");
  const pid = String(server.pid);
  ip("link", "set", "there", "netns", pid);
  const setUp = "ip addr add 10.9.0.2/24 dev there; ip link set there up";
  execFileSync("nsenter", ["-t", pid, "-n", "sh", "-c", setUp]);
  ip("link", "set", "here", "up");
  ip("addr", "add", "10.9.0.1/24", "dev", "here");
  server.stdin.write("\n");
  const [address] = await once(server.stdout, "data");

  await using client = QuicClient.localhost({ serverAddr: String(address), retry: false });
  const ask = async (): Promise<string> =>
    (await client.request(instance.GetInstanceStatusRequestSchema, { instanceId: "i" })).instanceId;
  assert.equal(await ask(), "1 connections");
  ip("addr", "flush", "dev", "here");
  ip("addr", "add", "10.9.0.77/24", "dev", "here");
  assert.equal(await ask(), "1 connections", "another address");
  ip("addr", "flush", "dev", "here");
  const asked = ask();
  // Long enough for the call to be sent into the void.
  setTimeout(() => ip("addr", "add", "10.9.0.88/24", "dev", "here"), 300);
  assert.equal(await asked, "1 connections", "an address after none");
  assert.equal(client.stats()?.reconnects, 0);
  process.stdout.write("survived");
} finally {
  server.kill();
}
