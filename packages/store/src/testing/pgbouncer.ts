import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { serverUser } from "./postgres-cluster.ts";

const port = 6432;
const startDeadlineMs = 10_000;

// The end of its input, which comes with the end of the test process however that ends, ends PgBouncer, too.
const script = `
"$1" -q "$2/pgbouncer.ini" & child=$!
cat >/dev/null
kill -INT $child; wait $child
rm -rf "$2"`;

/** PgBouncer in transaction mode before a PostgreSQL server, for tests. */
export class PgBouncer implements AsyncDisposable {
  readonly folder: string;
  readonly #child: ReturnType<typeof start>;

  private constructor(folder: string) {
    this.folder = folder;
    this.#child = start(folder);
  }

  /**
   * `server`: folder of the server's socket. `folder`: its own, to come back under the same URL. Resolves when it takes connections.
   */
  static async before(
    server: string,
    settings: Readonly<Record<string, string>> = {},
    folder: string = mkdtempSync(join(tmpdir(), "runtara-pgbouncer-")),
  ): Promise<PgBouncer> {
    mkdirSync(folder, { recursive: true });
    const all = {
      listen_port: String(port),
      unix_socket_dir: folder,
      auth_type: "any",
      pool_mode: "transaction",
      max_client_conn: "200",
      ...settings,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`);
    const databases = `[databases]\n* = host=${server} port=5432 user=postgres\n`;
    writeFileSync(join(folder, "pgbouncer.ini"), `${databases}[pgbouncer]\n${lines.join("\n")}\n`);
    const user = serverUser();
    if (user !== undefined) chownSync(folder, user.uid, user.gid);
    const bouncer = new PgBouncer(folder);
    await bouncer.#ready();
    return bouncer;
  }

  url(database: string): string {
    return `postgres://postgres@localhost:${port}/${database}?host=${encodeURIComponent(this.folder)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.stdin.end();
    await exited;
  }

  async #ready(): Promise<void> {
    for (const deadline = Date.now() + startDeadlineMs; Date.now() < deadline; await delay(10)) {
      if (this.#child.exitCode !== null) break;
      if (await this.#answers()) return;
    }
    throw new Error("PgBouncer did not start: run scripts/setup-tests");
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = createConnection(join(this.folder, `.s.PGSQL.${port}`));
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
  }
}

function start(folder: string) {
  return spawn("/bin/sh", ["-c", script, "sh", process.env.RUNTARA_TEST_PGBOUNCER ?? "pgbouncer", folder], {
    ...serverUser(),
    cwd: folder,
    env: { PATH: `${process.env.PATH}:/usr/sbin` },
    stdio: ["pipe", "ignore", "ignore"],
  });
}
