import { setTimeout as wait } from "node:timers/promises";
import { administer, type PostgresServer } from "@runtara/store/testing/postgres";
import pg from "pg";
import type { Strike } from "./campaign.ts";
import type { DiskShim, Fault } from "./disk-shim.ts";
import { faulty } from "./strikes.ts";

/** Long enough for a flush, too short for the server to be back at its log. */
const momentMs = 20;
const panicDeadlineMs = 10_000;
const returnDeadlineMs = 30_000;
const lookEveryMs = 10;

/** The database server ends at once, as in a crash, and starts again. The cause has gone when it takes connections. */
export function restarted(server: PostgresServer): Strike {
  return { name: "PostgreSQL restarted", strike: () => server.restart("immediate") };
}

/** PostgreSQL's own disk fails for a while, and it panics. It is started again if it cannot recover. The cause has gone when it takes connections. */
export function panicked(shim: DiskShim, fault: Exclude<Fault, "slow">, server: PostgresServer): Strike {
  const { name, strike } = faulty(shim, fault);
  return {
    name: `PostgreSQL: ${name}`,
    strike: (acknowledged) => throughPanic(server, () => strike(acknowledged)),
  };
}

/** A single flush of PostgreSQL fails: it panics, and comes back by itself. */
export function panickedOnce(shim: DiskShim, server: PostgresServer): Strike {
  const fail = async (): Promise<void> => {
    shim.break("sync");
    await wait(momentMs);
    shim.mend();
  };
  return { name: "PostgreSQL: fsync fails for a moment", strike: () => throughPanic(server, fail) };
}

/** Resolves when the server has ended all connections, which shows that it did panic, and takes new ones. */
async function throughPanic(server: PostgresServer, fail: () => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: server.url("postgres") });
  client.on("error", () => undefined);
  await client.connect();
  try {
    const ended = new Promise((resolve) => client.once("end", resolve));
    await fail();
    const late = wait(panicDeadlineMs, "late", { ref: false });
    if ((await Promise.race([ended, late])) === "late")
      throw new Error("PostgreSQL did not notice that its disk failed");
  } finally {
    await client.end();
  }
  await returned(server);
}

async function returned(server: PostgresServer): Promise<void> {
  for (const deadline = performance.now() + returnDeadlineMs; performance.now() < deadline; await wait(lookEveryMs)) {
    try {
      await administer(server.url("postgres"), "SELECT 1");
      return;
    } catch (error) {
      // Nobody listens: it has given up. Otherwise it says that it recovers.
      if (/ENOENT|ECONNREFUSED/.test(String(error))) await server.restart("immediate");
    }
  }
  throw new Error(`PostgreSQL did not come back within ${returnDeadlineMs} ms`);
}
