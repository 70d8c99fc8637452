import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { PostgresServer, testDatabase } from "@runtara/store/testing/postgres";
import pg from "pg";
import { startServer } from "./child.ts";
import { type Core, type Ground, ourCore } from "./peers.ts";

let cores = 0;

/** A database of its own on a server of ours, and cores on it; the database is dropped in the end. */
export interface PostgresGround extends AsyncDisposable {
  readonly url: string;
  startCore(env?: Readonly<Record<string, string>>): Promise<Core>;
}

/** A PostgreSQL server with its defaults (fsync on), and room in memory for what a benchmark writes. */
export function startPostgres(environment: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
  return PostgresServer.start({ environment, settings: { shared_buffers: "512MB", max_wal_size: "4GB" } });
}

/** The process whose children do the work. */
export function postmasterPid(server: PostgresServer): number {
  return Number(readFileSync(join(server.folder, "data", "postmaster.pid"), "utf8").split("\n")[0]);
}

/** How often the server has flushed its log since it was started. */
export async function walFlushes(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ wal_sync: string }>("SELECT wal_sync FROM pg_stat_wal");
    return Number(rows[0]?.wal_sync);
  } finally {
    await client.end();
  }
}

export async function emptyDatabase(ground: Ground, server: PostgresServer): Promise<PostgresGround> {
  const database = await testDatabase(server);
  return {
    url: database.url,
    async startCore(env = {}) {
      const folder = join(ground.dataFolder, `postgres-core-${cores++}`);
      await mkdir(folder);
      const command = ourCore(database.url, folder);
      return { ...(await startServer({ ...command, env: { ...command.env, ...env } })), database: database.url };
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
