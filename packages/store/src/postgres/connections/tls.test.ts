import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { serverUser } from "../../testing/postgres-cluster.ts";
import { PostgresServer } from "../../testing/postgres-server.ts";
import { codeOf, TestConnections } from "./connections.test.helper.ts";

/** A folder with a key and a certificate for localhost that the server may read. */
function certificateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "runtara-tls-"));
  const words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
  const files = ["-addext", "subjectAltName=DNS:localhost", "-keyout", `${folder}/key`, "-out", `${folder}/cert`];
  execFileSync("openssl", [...words, ...files], { stdio: "ignore" });
  chmodSync(`${folder}/key`, 0o600);
  const user = serverUser();
  if (user !== undefined) for (const path of ["", "/key", "/cert"]) chownSync(folder + path, user.uid, user.gid);
  return folder;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

test("a server with TLS is used with TLS, and its certificate is looked at where the URL says so", async () => {
  const folder = certificateFolder();
  const port = await freePort();
  await using _server = await PostgresServer.start({
    settings: {
      listen_addresses: "127.0.0.1",
      port: String(port),
      ssl: "on",
      ssl_cert_file: `${folder}/cert`,
      ssl_key_file: `${folder}/key`,
    },
  });
  const encrypted = async (options: string) => {
    await using test = await TestConnections.to(`postgres://postgres@localhost:${port}/postgres${options}`);
    const [[ssl] = []] = await test.rows("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    return ssl;
  };
  assert.equal(await encrypted(""), true);
  assert.equal(await encrypted("?sslmode=require"), true);
  assert.equal(await encrypted(`?sslmode=verify-full&sslrootcert=${folder}/cert`), true);
  assert.equal(await encrypted("?sslmode=disable"), false);
  assert.equal(await codeOf(encrypted("?sslmode=verify-full")), "OPEN_FAILED");
  rmSync(folder, { recursive: true });
});

test("a server without TLS is used without, unless the URL insists", async () => {
  const port = await freePort();
  await using _server = await PostgresServer.start({
    settings: { listen_addresses: "127.0.0.1", port: String(port) },
  });
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await using test = await TestConnections.to(url);
  assert.deepEqual(await test.rows("SELECT 1"), [[1]]);
  assert.equal(await codeOf(TestConnections.to(`${url}?sslmode=require`)), "OPEN_FAILED");
});
