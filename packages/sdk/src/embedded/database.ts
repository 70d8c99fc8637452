import { defaultDatabaseUrl, openStore, type Store, StoreError } from "@runtara/store";
import { ConfigError, ConnectionError, type RuntaraError } from "../errors.ts";
import { type Environment, textOf } from "../runtime/settings.ts";

/** The store of a runtime. */
export interface Database {
  readonly store: Store;
  /** Where it is; undefined for one that was open already. */
  readonly url: string | undefined;
  /** Closes the store if it was opened here. */
  close(): Promise<void>;
}

/** @throws ConfigError, ConnectionError */
export async function openDatabase(given: string | Store | undefined, env: Environment): Promise<Database> {
  if (typeof given === "object") return { store: given, url: undefined, close: async () => {} };
  const url = given ?? textOf(env, "RUNTARA_DATABASE_URL") ?? defaultDatabaseUrl;
  try {
    const store = await openStore(url);
    return { store, url, close: () => store.close() };
  } catch (cause) {
    throw openFailure(cause);
  }
}

function openFailure(cause: unknown): RuntaraError {
  const message = `open: ${cause instanceof Error ? cause.message : String(cause)}`;
  const isAway = cause instanceof StoreError && (cause.code === "BUSY" || cause.code === "UNAVAILABLE");
  return isAway ? new ConnectionError(message, { cause }) : new ConfigError(message, { cause });
}
