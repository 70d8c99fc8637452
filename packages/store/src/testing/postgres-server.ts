import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createConnection, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { type ClusterOptions, postgresPrograms, type StopMode, socketUrl } from "./postgres-cluster.ts";

export { type ClusterOptions, PostgresCluster, type StopMode } from "./postgres-cluster.ts";

// As a source and as what is published.
const keeper = fileURLToPath(
  import.meta.filename.endsWith(".ts")
    ? new URL("./postgres-keeper.ts", import.meta.url)
    : new URL("./postgres-keeper.js", import.meta.url),
);
const connectDeadlineMs = 60_000;
/** How long the shared cluster waits for the next test file. */
const lingerMs = 2_000;

type Reply = { readonly folder?: string; readonly error?: string };

/** A cluster that a keeper process runs. It ends with this process, whatever happens to it. */
export class PostgresServer implements AsyncDisposable {
  readonly folder: string;
  readonly #socket: Socket;
  readonly #replies: AsyncIterator<string>;

  private constructor(socket: Socket, replies: AsyncIterator<string>, folder: string) {
    this.#socket = socket;
    this.#replies = replies;
    this.folder = folder;
  }

  /** A cluster of one's own, which may be stopped and started. */
  static start(options: ClusterOptions = {}): Promise<PostgresServer> {
    const path = join(tmpdir(), `runtara-postgres-${process.pid}-${randomBytes(4).toString("hex")}.sock`);
    return PostgresServer.#at(path, 0, options);
  }

  /** The cluster that all processes of one test run share. */
  static shared(): Promise<PostgresServer> {
    const programs = postgresPrograms();
    const hash = createHash("sha256").update(programs).digest("hex").slice(0, 8);
    const path = join(tmpdir(), `runtara-postgres-${process.getuid?.()}-${process.ppid}-${hash}.sock`);
    return PostgresServer.#at(path, lingerMs, { programs });
  }

  static async #at(path: string, lingers: number, options: ClusterOptions): Promise<PostgresServer> {
    for (const deadline = Date.now() + connectDeadlineMs; Date.now() < deadline; await delay(20)) {
      const socket = (await connected(path)) ?? (await connectedToNewKeeper(path, lingers, options));
      if (socket === undefined) continue;
      const replies = createInterface({ input: socket })[Symbol.asyncIterator]();
      const { folder, error } = (await nextReply(replies)) ?? {};
      if (error !== undefined) throw new Error(`the PostgreSQL cluster did not start: ${error}`);
      if (folder !== undefined) return new PostgresServer(socket.unref(), replies, folder);
    }
    throw new Error(`no PostgreSQL cluster within ${connectDeadlineMs} ms`);
  }

  /** `host` is the folder of the socket. */
  url(database: string): string {
    return socketUrl(this.folder, database);
  }

  async stop(mode: StopMode): Promise<void> {
    await this.#command({ stop: mode });
  }

  async begin(): Promise<void> {
    await this.#command({ start: true });
  }

  async restart(mode: StopMode): Promise<void> {
    await this.#command({ stop: mode, start: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }

  async #command(command: object): Promise<void> {
    this.#socket.ref();
    this.#socket.write(`${JSON.stringify(command)}\n`);
    const { error } = (await nextReply(this.#replies)) ?? { error: "the PostgreSQL cluster's keeper has ended" };
    this.#socket.unref();
    if (error !== undefined) throw new Error(error);
  }
}

/** A database of its own for one test. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  readonly name: string;
}

/**
 * Creates an empty database, or a copy of `template`, on the server that PG_URL names or else on the shared cluster; dropped when disposed of.
 */
export async function testDatabase(server?: PostgresServer, template = "template1"): Promise<TestDatabase> {
  const admin = await adminUrl(server);
  const name = `runtara_test_${process.pid}_${randomBytes(6).toString("hex")}`;
  await administer(admin, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  return {
    name,
    url: withDatabase(admin, name),
    async [Symbol.asyncDispose]() {
      await administer(admin, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

/** A database that others are copied from, made once for a test file. Nobody may be connected to it any more when it is copied. */
export class DatabaseTemplate implements AsyncDisposable {
  readonly #database: TestDatabase;

  private constructor(database: TestDatabase) {
    this.#database = database;
  }

  static async prepared(prepare: (url: string) => Promise<void>): Promise<DatabaseTemplate> {
    const database = await testDatabase();
    await prepare(database.url);
    return new DatabaseTemplate(database);
  }

  copy(): Promise<TestDatabase> {
    return testDatabase(undefined, this.#database.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database[Symbol.asyncDispose]();
  }
}

let shared: Promise<PostgresServer> | undefined;

async function adminUrl(server: PostgresServer | undefined): Promise<string> {
  if (server !== undefined) return server.url("postgres");
  if (process.env.PG_URL !== undefined) return process.env.PG_URL;
  shared ??= PostgresServer.shared();
  return (await shared).url("postgres");
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

/** Commands on a connection of their own; gives the rows of a single one, each column as the server's text. */
export async function administer(url: string, command: string): Promise<(string | null)[][]> {
  const client = new pg.Client({ connectionString: url, types: { getTypeParser: () => String } });
  await client.connect();
  try {
    return (await client.query<(string | null)[]>({ text: command, rowMode: "array" })).rows;
  } finally {
    await client.end();
  }
}

function connected(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once("connect", () => resolve(socket.on("error", () => undefined)));
    socket.once("error", () => resolve(undefined));
  });
}

/** Undefined when another process's keeper was faster and has ended since. */
async function connectedToNewKeeper(
  path: string,
  lingers: number,
  options: ClusterOptions,
): Promise<Socket | undefined> {
  const words = ["--disable-warning=ExperimentalWarning", keeper, path, String(lingers), JSON.stringify(options)];
  const child = spawn(process.execPath, words, { detached: true, stdio: "ignore" });
  child.unref();
  for (let tries = 0; tries < 250 && child.exitCode === null; tries++) {
    await delay(20);
    const socket = await connected(path);
    if (socket !== undefined) return socket;
  }
  return undefined;
}

/** Undefined: there will be none. */
async function nextReply(replies: AsyncIterator<string>): Promise<Reply | undefined> {
  const { value, done } = await replies.next();
  return done ? undefined : (JSON.parse(value) as Reply);
}
