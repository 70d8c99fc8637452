import { StoreError } from "./errors.ts";

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
  readonly url: string;
}

const supported = "supported: sqlite:PATH, sqlite://PATH (with or without ?mode=rwc), or a bare path";

/**
 * Reads a database URL: `sqlite:PATH`, `sqlite://PATH`, either with `?mode=rwc` or `?mode=rw`, a bare path, `postgres://…` or
 * `postgresql://…`. Throws `StoreError` URL_UNSUPPORTED for everything else.
 */
export function parseDatabaseUrl(url: string): SqliteLocation | PostgresLocation {
  if (/^postgres(ql)?:\/\//i.test(url)) return { engine: "postgres", url };
  const sqlite = /^sqlite:(?:\/\/)?(.*)$/is.exec(url)?.[1];
  if (sqlite !== undefined) return parseSqlite(sqlite, url);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1];
  if (scheme !== undefined) throw unsupported(url, `databases of the kind '${scheme}' are not supported`);
  return sqliteAt(url, true, url);
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
export function withoutPassword(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/?#:@]*):[^/?#]*@/i, "$1:***@");
}
