import { createRequire } from "node:module";

/** Of this package. */
export const version: string = (
  createRequire(import.meta.url)("@runtara/core/package.json") as { readonly version: string }
).version;
