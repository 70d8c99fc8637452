import type pg from "pg";
import { StoreError } from "../../errors.ts";

type Driver = typeof pg;

let loaded: Driver | undefined;

/**
 * Loads the package that speaks PostgreSQL's protocol. It is an optional peer, so that who uses SQLite alone does not install it.
 *
 * @throws StoreError DRIVER_MISSING
 */
export async function loadDriver(): Promise<void> {
  try {
    loaded ??= (await import("pg")).default;
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND" ? "not installed" : String(cause);
    throw new StoreError("DRIVER_MISSING", `PostgreSQL needs the package pg (${why}); run: npm install pg@8`, {
      cause,
    });
  }
}

/** The loaded package. */
export function driver(): Driver {
  if (loaded === undefined) throw new StoreError("INTERNAL", "the driver of PostgreSQL has not been loaded");
  return loaded;
}
