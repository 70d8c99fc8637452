import { limits } from "../limits.ts";
import { toBase64 } from "./base64.ts";
import { writerFor } from "./builtins.ts";
import { classes } from "./classes.ts";
import { isError, writeError } from "./errors.ts";
import { isPlain } from "./plain.ts";
import { className, Oversize, Refusal, reasonFor } from "./refusal.ts";
import { thrownText } from "./thrown-text.ts";

/** The stored text of a value: JSON, in which everything that JSON lacks is an object with one key that starts with `$rt:`.
 *  @throws Refusal with path and reason; Oversize */
export function writeValue(value: unknown): string {
  if (isPlain(value)) {
    try {
      return JSON.stringify(value);
    } catch {
      // Longer than the longest string; the only way for plain data to fail.
      throw new Oversize();
    }
  }
  return new Writer().write(value);
}

/** The slow, exact way: walks the value and says where what can't be stored is. */
export class Writer {
  /** The keys that lead to where the writer is. */
  readonly #path: (string | number)[] = [];
  /** Containers on the way, with the length of the path that leads to each. */
  readonly #ancestors = new Map<object, number>();
  #bytes = 0;
  /** What {@link tryAt} has dropped counts here, too: errors that are shared by many could be tried without end. */
  #work = 0;

  write(value: unknown): string {
    switch (typeof value) {
      case "string":
        return this.quote(value);
      case "boolean":
        return this.#count(String(value));
      case "number":
        return this.#count(writeNumber(value));
      case "bigint":
        return this.#count(`{"$rt:bigint":"${value}"}`);
      case "undefined":
        return this.#count('{"$rt:undefined":0}');
      case "object":
        return value === null ? this.#count("null") : this.#writeObject(value);
      default:
        throw this.refuse(reasonFor(value));
    }
  }

  /** Writes what lies under `key`: an index, or text such as `.name`. */
  at(key: string | number, value: unknown): string {
    this.#path.push(key);
    try {
      return this.write(value);
    } finally {
      this.#path.pop();
    }
  }

  /** The same, or undefined when it can't be stored. */
  tryAt(key: string, value: unknown): string | undefined {
    const bytes = this.#bytes;
    try {
      return this.at(key, value);
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Oversize)) throw error;
      this.#bytes = bytes;
      return undefined;
    }
  }

  /** Text as JSON. Counted before it is written: escaped, it may be longer than the longest string. */
  quote(text: string): string {
    this.reserve(text.length);
    const quoted = JSON.stringify(text);
    this.reserve(quoted.length - text.length);
    return quoted;
  }

  /** Bytes as base64 in quotes. Counted before they are written. */
  quoteBytes(bytes: Uint8Array): string {
    this.reserve(Math.ceil(bytes.byteLength / 3) * 4 + 2);
    return `"${toBase64(bytes)}"`;
  }

  /** Counts characters that are about to be written. @throws Oversize */
  reserve(characters: number): void {
    this.#bytes += characters;
    this.#work += characters;
    if (this.#bytes > limits.valueBytesMax || this.#work > limits.valueWorkMax) throw new Oversize();
  }

  /** The members of an object as JSON, escaped where it would be taken for a tag. */
  writeMembers(value: object): string {
    const keys = Object.keys(value);
    if (Object.getOwnPropertySymbols(value).length > 0)
      throw this.refuse("has a symbol key; only text keys are stored");
    const [only = ""] = keys;
    const looksLikeTag = keys.length === 1 && only.startsWith("$rt:");
    const parts = keys.map((key) => {
      const descriptor = Object.getOwnPropertyDescriptor(value, key);
      const path = memberPath(key);
      if (descriptor?.get || descriptor?.set) {
        throw new Refusal(pathText(this.#path) + path, "is a getter or setter; store its value");
      }
      return `${this.quote(key)}${looksLikeTag ? "," : ":"}${this.at(path, descriptor?.value)}`;
    });
    return looksLikeTag ? `{"$rt:object":[[${parts.join()}]]}` : `{${parts.join()}}`;
  }

  /** The items of a list as JSON. */
  writeItems(items: readonly unknown[]): string {
    const parts: string[] = [];
    for (let index = 0; index < items.length; index++) {
      parts.push(index in items ? this.at(index, items[index]) : this.#count('{"$rt:hole":0}'));
    }
    return `[${parts.join()}]`;
  }

  refuse(reason: string, options?: ErrorOptions): Refusal {
    return new Refusal(pathText(this.#path), reason, options);
  }

  #writeObject(value: object): string {
    const earlier = this.#ancestors.get(value);
    if (earlier !== undefined) {
      const path = pathText(this.#path.slice(0, earlier));
      throw this.refuse(`is the same object as ${path === "" ? "the whole value" : `the one at ${path}`}: a cycle`);
    }
    if (this.#ancestors.size >= limits.valueDepthMax)
      throw this.refuse(`lies deeper than ${limits.valueDepthMax} levels`);
    // Counted even when empty, so that ever the same object shared by many can't make endless work.
    this.#count("{}");
    this.#ancestors.set(value, this.#path.length);
    try {
      return this.#writeByKind(value);
    } catch (cause) {
      if (cause instanceof Refusal || cause instanceof Oversize) throw cause;
      // Code that is not ours may throw: encode() of a registered class, an object that is out of use.
      throw this.refuse(`is a ${className(value)} that could not be written: ${thrownText(cause)}`, { cause });
    } finally {
      this.#ancestors.delete(value);
    }
  }

  #writeByKind(value: object): string {
    const prototype: unknown = Object.getPrototypeOf(value);
    const registered = prototype === null ? undefined : classes().byPrototype.get(prototype as object);
    if (registered) {
      return `{"$rt:class":[${this.quote(registered.name)},${this.write(registered.encode(value))}]}`;
    }
    if (Array.isArray(value)) return this.#writeArray(value, prototype);
    if (prototype === null) return `{"$rt:null":${this.writeMembers(value)}}`;
    if (isPlainPrototype(prototype as object)) return this.writeMembers(value);
    if (isError(value)) return writeError(value, this);
    const write = writerFor(prototype as object);
    if (!write) throw this.refuse(reasonFor(value));
    return write(value, this);
  }

  #writeArray(items: readonly unknown[], prototype: unknown): string {
    if (prototype !== Array.prototype) throw this.refuse(reasonFor(items));
    // Indexes come first among the keys, so another key would be the last.
    const last = Object.keys(items).at(-1);
    const stranger = last === undefined || isIndex(last) ? undefined : last;
    if (stranger !== undefined || Object.getOwnPropertySymbols(items).length > 0) {
      throw this.refuse(`is an array with a member beside its items (${stranger ?? "a symbol"}); copy it with [...]`);
    }
    return this.writeItems(items);
  }

  #count(text: string): string {
    this.reserve(text.length);
    return text;
  }
}

function writeNumber(value: number): string {
  if (Object.is(value, -0)) return '{"$rt:number":"-0"}';
  return Number.isFinite(value) ? String(value) : `{"$rt:number":"${value}"}`;
}

/** Object.prototype, ours or that of another realm (a vm context of a test runner). */
function isPlainPrototype(prototype: object): boolean {
  if (prototype === Object.prototype) return true;
  return (
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, "isPrototypeOf") &&
    className(prototype) === "Object"
  );
}

function isIndex(key: string): boolean {
  return String(Number(key) >>> 0) === key;
}

function pathText(path: readonly (string | number)[]): string {
  return path.map((key) => (typeof key === "number" ? `[${key}]` : key)).join("");
}

function memberPath(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
