// What two installed copies of this package share. Everything in here is part of a contract between versions:
// change its shape only under another number.

import type { AsyncLocalStorage } from "node:async_hooks";
import type { ClassRegistry } from "./values/classes.ts";

interface Slot {
  /** Which run the running code belongs to. Made by the first copy that is asked for it. */
  frames?: AsyncLocalStorage<unknown>;
  classes?: ClassRegistry;
  /** The process's low-level SDK: a RuntaraSdk, which this file does not name because the root entry must not reach the wire. */
  raw?: { readonly sdk: unknown; readonly heartbeat: NodeJS.Timeout | undefined };
}

const key = Symbol.for("runtara.sdk/1");

/** The slot on `globalThis`, made on first use. */
export function slot(): Slot {
  const host = globalThis as unknown as Record<symbol, Slot | undefined>;
  host[key] ??= {};
  return host[key];
}
