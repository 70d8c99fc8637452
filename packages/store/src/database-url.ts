import { StoreError } from "./errors.ts";
import { limits } from "./limits.ts";

/** Where the database is when nothing is configured. */
export const defaultDatabaseUrl = "sqlite:.runtara/runtara.db";

export interface SqliteLocation {
  readonly engine: "sqlite";
  readonly path: string;
  /** False for `?mode=rw`: the file must exist. */
  readonly create: boolean;
}

export interface PostgresLocation {
  readonly engine: "postgres";
  /** Without the options below, which are ours. */
  readonly url: string;
  /** `?pool=`: connections at most. */
  readonly poolConnections: number;
  /** `?prepare=`: false behind a pooler such as PgBouncer, true to insist on prepared statements; undefined = found out. */
  readonly prepare: boolean | undefined;
  /** `?statement_timeout_ms=`: 0 = none. */
  readonly statementTimeoutMs: number;
}

const supported =
  "supported: sqlite:PATH, sqlite://PATH (with or without ?mode=rwc), a bare path, postgres://USER:PASSWORD@HOST:PORT/DATABASE";

/**
 * Reads a database URL: `sqlite:PATH`, `sqlite://PATH`, either with `?mode=rwc` or `?mode=rw`, a bare path, `postgres://…` or
 * `postgresql://…`, these with `?pool=4…100`, `?prepare=true|false`, `?statement_timeout_ms=` and the options of libpq. Throws `StoreError`
 * URL_UNSUPPORTED for everything else.
 */
export function parseDatabaseUrl(url: string): SqliteLocation | PostgresLocation {
  if (/^postgres(ql)?:\/\//i.test(url)) return parsePostgres(url);
  const sqlite = /^sqlite:(?:\/\/)?(.*)$/is.exec(url)?.[1];
  if (sqlite !== undefined) return parseSqlite(sqlite, url);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1];
  if (scheme !== undefined) throw unsupported(url, `databases of the kind '${scheme}' are not supported`);
  return sqliteAt(url, true, url);
}

function parsePostgres(url: string): PostgresLocation {
  const [address = "", query = "", ...more] = url.split("?");
  if (more.length > 0) throw unsupported(url, "it has more than one '?'");
  // A path of a socket's folder in place of a host is written with %2F, which URL does not take.
  if (!URL.canParse(address.replace(/@%2f[^/:]*/i, "@host"))) throw unsupported(url, "it is not of that form");
  const options = new URLSearchParams(query);
  const pool = wholeNumber(options, "pool", url, limits.poolConnectionsMin, limits.poolConnectionsMax);
  const timeout = wholeNumber(options, "statement_timeout_ms", url, 0, limits.statementTimeoutMsMax);
  const prepare = options.get("prepare");
  if (prepare !== null && prepare !== "true" && prepare !== "false") {
    throw unsupported(url, `the option 'prepare=${prepare}' must be true or false`);
  }
  for (const ours of ["pool", "prepare", "statement_timeout_ms"]) options.delete(ours);
  return {
    engine: "postgres",
    url: options.size === 0 ? address : `${address}?${options}`,
    poolConnections: pool ?? limits.poolConnections,
    prepare: prepare === null ? undefined : prepare === "true",
    statementTimeoutMs: timeout ?? limits.statementTimeoutMs,
  };
}

function wholeNumber(
  options: URLSearchParams,
  name: string,
  url: string,
  min: number,
  max: number,
): number | undefined {
  const text = options.get(name);
  if (text === null) return undefined;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw unsupported(url, `the option '${name}=${text}' must be a whole number from ${min} to ${max}`);
}

function parseSqlite(rest: string, url: string): SqliteLocation {
  const [path = "", query = "", ...more] = rest.split("?");
  if (more.length > 0) throw unsupported(url, "it has more than one '?'");
  let create = true;
  for (const [name, value] of new URLSearchParams(query)) {
    if (name !== "mode" || (value !== "rwc" && value !== "rw")) {
      throw unsupported(url, `the option '${name}=${value}' is unknown; mode=rwc and mode=rw are known`);
    }
    create = value === "rwc";
  }
  return sqliteAt(decoded(path, url), create, url);
}

function sqliteAt(path: string, create: boolean, url: string): SqliteLocation {
  if (path === "") throw unsupported(url, "it names no file");
  if (path === ":memory:") throw unsupported(url, "a database in memory would lose what it has acknowledged");
  if (path.includes("\0")) throw unsupported(url, "the path contains U+0000");
  return { engine: "sqlite", path, create };
}

function decoded(path: string, url: string): string {
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw unsupported(url, "a '%' in it is not followed by two hexadecimal digits", cause);
  }
}

function unsupported(url: string, reason: string, cause?: unknown): StoreError {
  return new StoreError(
    "URL_UNSUPPORTED",
    `cannot use database URL '${withoutPassword(url)}': ${reason}; ${supported}`,
    { cause },
  );
}

/** The URL as it may appear in a log. */
function withoutPassword(url: string): string {
  return url
    .replace(/^([a-z][a-z0-9+.-]*:\/\/[^/?#:@]*):[^/?#]*@/i, "$1:***@")
    .replace(/([?&]password=)[^&#]*/gi, "$1***");
}
