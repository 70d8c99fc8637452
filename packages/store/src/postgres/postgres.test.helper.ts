import { type PostgresLocation, parseDatabaseUrl } from "../database-url.ts";

/** The location of a test database. */
export function locationOf(url: string): PostgresLocation {
  const location = parseDatabaseUrl(url);
  if (location.engine !== "postgres") throw new Error(`${url} is no PostgreSQL database`);
  return location;
}
