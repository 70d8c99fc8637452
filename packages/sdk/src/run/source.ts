import { limits } from "../limits.ts";
import type { EntryKind } from "./entries.ts";

/** Where a name is first used, as `src/order.ts:12:30`, and the same as JSON. */
export interface Source {
  readonly text: string;
  readonly json: string;
}

const sources = new Map<EntryKind, Map<string, Source>>();

/** The call site of the first call of this kind and name in this process. `above`: the public function that was called; its caller is the site.
 *  Taken once per name, because a stack trace costs as much as the rest of a step. */
// biome-ignore lint/complexity/noBannedTypes: what captureStackTrace takes
export function sourceOf(kind: EntryKind, name: string, above: Function): Source {
  let ofKind = sources.get(kind);
  if (!ofKind) {
    ofKind = new Map();
    sources.set(kind, ofKind);
  }
  const known = ofKind.get(name);
  if (known) return known;
  if (ofKind.size >= limits.sourcesMax) ofKind.clear();
  const text = callSite(above) ?? "";
  const source = { text, json: JSON.stringify(text) };
  ofKind.set(name, source);
  return source;
}

/** Where `above` was called, relative to the working directory. */
// biome-ignore lint/complexity/noBannedTypes: what captureStackTrace takes
export function callSite(above: Function): string | undefined {
  const holder: { stack?: string } = {};
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 1;
  Error.captureStackTrace(holder, above);
  Error.stackTraceLimit = stackTraceLimit;
  const line = holder.stack?.split("\n").find((candidate) => candidate.trimStart().startsWith("at "));
  const place = line && /\(?((?:file:\/\/)?[^()\s][^()]*:\d+:\d+)\)?$/.exec(line)?.[1]?.replace(/^at /, "");
  return place && relative(place);
}

/** A path or URL of a file, relative to the working directory if it lies there. */
export function relative(place: string): string {
  const path = place.startsWith("file://") ? decodeURI(place.slice("file://".length)) : place;
  const directory = `${process.cwd()}/`;
  return path.startsWith(directory) ? path.slice(directory.length) : path;
}
