import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { serveHttp } from "../index.ts";

test("pages by path, GET and HEAD alone, and a page that fails is a 500", async () => {
  const server = await serveHttp("127.0.0.1", 0, {
    "/page": () => ({ status: 200, body: "hällo\n" }),
    "/broken": () => Promise.reject(new Error("secret")),
  });
  const ask = async (path: string, method = "GET") => {
    const response = await fetch(`http://${server.address}${path}`, { method });
    return [response.status, await response.text()];
  };
  assert.deepEqual(await ask("/page?x=1"), [200, "hällo\n"]);
  assert.deepEqual(await ask("/page", "HEAD"), [200, ""]);
  assert.deepEqual(await ask("/page", "POST"), [405, "only GET and HEAD\n"]);
  assert.deepEqual(await ask("/broken"), [500, "this page could not be made\n"]);
  assert.deepEqual(await ask("/toString"), [404, "no such page; there are /page, /broken\n"]);
  await server.close();
  await server.close();
});

test("a port in use rejects with the system's error", async () => {
  const first = await serveHttp("127.0.0.1", 0, {});
  const port = Number(first.address.split(":").at(-1));
  await assert.rejects(serveHttp("127.0.0.1", port, {}), { code: "EADDRINUSE" });
  await first.close();
});

test("closing ends connections that are open and silent", async () => {
  const server = await serveHttp("::1", 0, {});
  assert.match(server.address, /^\[::1\]:\d+$/);
  const socket = connect(Number(server.address.split(":").at(-1)), "::1");
  await once(socket, "connect");
  const ended = once(socket, "close");
  await server.close();
  await ended;
});
