import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { until } from "../postgres/postgres.test.helper.ts";
import { administer, DatabaseTemplate, PostgresServer, testDatabase } from "./postgres-server.ts";

/** A process that starts a cluster of its own, says where, and then waits for ever. */
const child = `
import { PostgresServer } from ${JSON.stringify(new URL("./postgres-server.ts", import.meta.url).href)};
const server = await PostgresServer.start();
console.log(server.folder);
setInterval(() => undefined, 1_000);`;

test("a cluster ends and its folder is gone when the process that wanted it is killed", async () => {
  const owner = spawn(process.execPath, ["--conditions=runtara-src", "--input-type=module", "-e", child], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [folder] = (await once(createInterface({ input: owner.stdout }), "line")) as [string];
  assert.ok(existsSync(folder));
  owner.kill("SIGKILL");
  await until("the folder of the cluster is gone", () => !existsSync(folder));
});

test("what was committed outlives a crash of the server, which comes back under the same URL", async () => {
  await using server = await PostgresServer.start();
  await using database = await testDatabase(server);
  await administer(database.url, "CREATE TABLE t AS SELECT 7 AS id");
  await server.stop("immediate");
  await assert.rejects(administer(database.url, "SELECT 1"));
  await server.begin();
  assert.deepEqual(await administer(database.url, "SELECT id FROM t"), [["7"]]);
});

test("processes of one run share a cluster; their databases are their own", async () => {
  await using one = await testDatabase();
  await using other = await testDatabase();
  await administer(one.url, "CREATE TABLE t (id INT)");
  assert.deepEqual(await administer(other.url, "SELECT to_regclass('t')"), [[null]]);
  assert.equal(new URL(one.url).searchParams.get("host"), new URL(other.url).searchParams.get("host"));
});

test("copies of a template have what it has", async () => {
  await using template = await DatabaseTemplate.prepared(async (url) => {
    await administer(url, "CREATE TABLE t AS SELECT 7 AS id");
  });
  await using copy = await template.copy();
  assert.deepEqual(await administer(copy.url, "SELECT id FROM t"), [["7"]]);
});
