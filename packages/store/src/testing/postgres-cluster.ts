import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const debian = "/usr/lib/postgresql";
const startDeadlineMs = 30_000;

/** How a server is stopped, in the words of pg_ctl. `immediate` is a crash: recovery at the next start. */
export type StopMode = "fast" | "immediate";

const stopSignals = { fast: "SIGINT", immediate: "SIGQUIT" } as const;

export function socketUrl(folder: string, database: string): string {
  return `postgres://postgres@localhost/${database}?host=${encodeURIComponent(folder)}`;
}

/** The server's programs: RUNTARA_TEST_POSTGRES_BIN, else the newest of Debian's. */
export function postgresPrograms(): string {
  const given = process.env.RUNTARA_TEST_POSTGRES_BIN;
  if (given !== undefined) return given;
  const versions = existsSync(debian)
    ? readdirSync(debian).filter((name) => existsSync(join(debian, name, "bin/initdb")))
    : [];
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  if (newest !== undefined) return join(debian, newest, "bin");
  throw new Error("there is no PostgreSQL server to test with: run scripts/setup-tests, or set PG_URL");
}

/** The server refuses to run as root; then it runs as the user postgres, which Debian's package makes. */
export function serverUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync("id", [flag, process.env.RUNTARA_TEST_POSTGRES_USER ?? "postgres"]));
  return { uid: id("-u"), gid: id("-g") };
}

export interface ClusterOptions {
  /** Folder of initdb and postgres; by default `postgresPrograms()`. */
  readonly programs?: string;
  /** Where its folder is made; by default the system's folder for temporary files. */
  readonly parent?: string;
  /** Environment of the server; by default empty. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Settings of postgresql.conf beside those for tests, or in place of them. fsync stays on unless they say otherwise. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A PostgreSQL cluster in a folder of its own, reached by a socket in that folder. */
export class PostgresCluster {
  readonly folder: string;
  readonly #programs: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #user: { uid: number; gid: number } | undefined = serverUser();
  #server: ChildProcess | undefined;
  #output = "";

  constructor(options: ClusterOptions = {}) {
    this.#programs = options.programs ?? postgresPrograms();
    this.#environment = options.environment ?? {};
    this.#settings = options.settings ?? {};
    this.folder = mkdtempSync(join(options.parent ?? tmpdir(), "runtara-postgres-"));
    if (this.#user !== undefined) chownSync(this.folder, this.#user.uid, this.#user.gid);
  }

  /** `host` is the folder of the socket. */
  url(database: string): string {
    return socketUrl(this.folder, database);
  }

  /** The process that clients' processes descend from; undefined when it does not run. */
  get processId(): number | undefined {
    return this.#server?.pid;
  }

  async create(): Promise<void> {
    const words = ["-D", this.#data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
    await run(join(this.#programs, "initdb"), words, { ...this.#user, env: {}, cwd: this.folder });
  }

  /** Resolves when it takes connections. */
  async start(): Promise<void> {
    const settings = {
      listen_addresses: "",
      unix_socket_directories: this.folder,
      max_connections: "300",
      shared_buffers: "64MB",
      log_min_messages: "fatal",
      ...this.#settings,
    };
    const words = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const server = spawn(join(this.#programs, "postgres"), ["-D", this.#data, ...words], {
      ...this.#user,
      env: { ...this.#environment },
      cwd: this.folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#server = server;
    server.stderr.on("data", (text) => {
      this.#output = `${this.#output}${text}`.slice(-4_000);
    });
    await this.#ready(server);
  }

  async stop(mode: StopMode): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, "exit");
    server.kill(stopSignals[mode]);
    await exited;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #data(): string {
    return join(this.folder, "data");
  }

  /** The server says so in its pid file: line 8 is `ready` then. */
  async #ready(server: ChildProcess): Promise<void> {
    for (const deadline = Date.now() + startDeadlineMs; Date.now() < deadline; await delay(10)) {
      if (server.exitCode !== null) throw new Error(`the PostgreSQL server ended at once: ${this.#output}`);
      if (this.#isReady()) return;
    }
    throw new Error(`the PostgreSQL server was not ready within ${startDeadlineMs} ms: ${this.#output}`);
  }

  #isReady(): boolean {
    try {
      const lines = readFileSync(join(this.#data, "postmaster.pid"), "utf8").split("\n");
      return lines[0] === String(this.#server?.pid) && lines[7]?.trim() === "ready";
    } catch {
      return false;
    }
  }
}
