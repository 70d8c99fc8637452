// Checkpoint ids. They contain only characters that encodeURIComponent leaves alone, and never "::".
//   id      = [ "!" run "." ] segment *( "." segment )
//   segment = esc(name) [ "(" esc(key) ")" ] [ "!" role ] [ "~" n ]

import { ContextError } from "../errors.ts";
import { sha256 } from "../hash.ts";
import { limits } from "../limits.ts";

const utf8 = new TextEncoder();
const escaped = new Map<string, string>();
const safeName = /^[A-Za-z0-9_-]+$/;

/** Every byte but A-Z a-z 0-9 _ - as "*" and two hex digits. */
export function escapeText(text: string): string {
  if (safeName.test(text)) return text;
  let result = "";
  for (const byte of utf8.encode(text)) {
    const character = String.fromCharCode(byte);
    result += safeName.test(character) ? character : `*${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return result;
}

/** The escaped form of a name that a call was given. @throws ContextError for names outside 1–128 bytes, or with control characters */
export function escapeName(name: string, functionName: string): string {
  const known = escaped.get(name);
  if (known !== undefined) return known;
  const bytes = typeof name === "string" ? utf8.encode(name).length : 0;
  if (bytes === 0 || bytes > limits.nameBytesMax || /\p{Cc}/u.test(name)) {
    throw new ContextError(
      `${functionName}: the name ${JSON.stringify(name)} can't be used; a name is text of 1 to ${limits.nameBytesMax} bytes without control characters`,
    );
  }
  if (escaped.size >= limits.escapedNamesMax) escaped.clear();
  const text = escapeText(name);
  escaped.set(name, text);
  return text;
}

/** The last name of an id as the code wrote it: `items~3.Charge*20card(c1)~2` gives `Charge card`. */
export function nameOfId(id: string): string {
  const segment = id.slice(id.lastIndexOf(".") + 1);
  const name = segment.startsWith("!") ? segment : segment.replace(/[(!~?].*$/s, "");
  try {
    return decodeURIComponent(name.replaceAll("*", "%"));
  } catch {
    return name;
  }
}

/** The counters under one prefix. Calls of the same name, key and role share one, whatever their kind. */
export class Scope {
  readonly prefix: string;
  readonly depth: number;
  readonly #counts = new Map<string, number>();

  constructor(prefix: string, depth: number) {
    this.prefix = prefix;
    this.depth = depth;
  }

  /** The id of the next call of this name (escaped) and key. */
  nextId(name: string, key?: string | number): string {
    return shorten(this.#nextPath(name, key));
  }

  /** A scope of its own under the next id of this name. @throws ContextError when nested too deeply */
  child(name: string): Scope {
    if (this.depth >= limits.scopeDepthMax) {
      throw new ContextError(`scope: nested deeper than ${limits.scopeDepthMax} levels at ${this.prefix}${name}`);
    }
    return new Scope(`${this.#nextPath(name)}.`, this.depth + 1);
  }

  #nextPath(name: string, key?: string | number): string {
    const segment = key === undefined ? name : `${name}(${escapeText(String(key))})`;
    const count = (this.#counts.get(segment) ?? 0) + 1;
    this.#counts.set(segment, count);
    return count === 1 ? this.prefix + segment : `${this.prefix}${segment}~${count}`;
  }
}

/** What every id of a run begins with: nothing in the first. */
export function runPrefix(run: number): string {
  return run > 1 ? `!${run}.` : "";
}

/** The first scope of a run. */
export function rootScope(run: number): Scope {
  return new Scope(runPrefix(run), 0);
}

/** Ids have a bound; what is over it keeps its head and ends in a hash of the whole. */
export function shorten(path: string): string {
  if (path.length <= limits.idBytesMax) return path;
  return `${path.slice(0, limits.idHeadBytes)}*~${base32(sha256(path)).slice(0, limits.idHashChars)}`;
}

function base32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let rest = 0;
  for (const byte of bytes) {
    rest = (rest << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += "abcdefghijklmnopqrstuvwxyz234567"[(rest >>> bits) & 31];
    }
    rest &= (1 << bits) - 1;
  }
  return text;
}
