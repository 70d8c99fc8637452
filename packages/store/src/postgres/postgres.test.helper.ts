import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { type PostgresLocation, parseDatabaseUrl } from "../database-url.ts";

/** The location of a test database. */
export function locationOf(url: string): PostgresLocation {
  const location = parseDatabaseUrl(url);
  if (location.engine !== "postgres") throw new Error(`${url} is no PostgreSQL database`);
  return location;
}

const patienceMs = 30_000;

/** For what no event tells of: asks until it is so, and says what it has waited for in vain. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await delay(5)) if (await isSo()) return;
  assert.fail(`waited ${patienceMs} ms in vain until ${what}`);
}
