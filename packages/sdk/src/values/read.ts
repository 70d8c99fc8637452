import { UnreadableValueError } from "../errors.ts";
import { limits } from "../limits.ts";
import { readerFor } from "./builtins.ts";
import { classes } from "./classes.ts";
import { readError } from "./errors.ts";
import { thrownText } from "./thrown-text.ts";

/** The value of stored text. Text without a tag is `JSON.parse` and nothing more.
 *  @throws UnreadableValueError for broken JSON, unknown tags, classes that are not registered */
export function readValue(text: string): unknown {
  const tree = parseJson(text);
  return text.includes('"$rt:') ? revive(tree) : tree;
}

/** @throws UnreadableValueError */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UnreadableValueError(`stored text is not JSON: ${(cause as Error).message}`, { cause });
  }
}

/** Turns the tags of a parsed tree into values, in place, innermost first. @throws UnreadableValueError */
export function revive(tree: unknown): unknown {
  const value = reviveNode(tree, 0);
  if (value === hole) throw new UnreadableValueError("a hole outside an array");
  return value;
}

const hole = Symbol("hole");

function reviveNode(node: unknown, depth: number): unknown {
  if (typeof node !== "object" || node === null) return node;
  // Each stored level takes at most three of JSON: the tag, its list, its pair.
  if (depth > 3 * limits.valueDepthMax + 3)
    throw new UnreadableValueError(`stored text is nested deeper than ${depth} levels`);
  if (Array.isArray(node)) return reviveItems(node, depth);
  const keys = Object.keys(node);
  const members = node as Record<string, unknown>;
  for (const key of keys) {
    const value = reviveNode(members[key], depth + 1);
    if (value === hole) throw new UnreadableValueError("a hole outside an array");
    // An own `__proto__` (JSON.parse makes one) is a member like any other, and assigning to it stays one.
    members[key] = value;
  }
  const [only] = keys;
  return keys.length === 1 && only?.startsWith("$rt:") ? reviveTag(only.slice(4), members[only]) : node;
}

function reviveItems(items: unknown[], depth: number): unknown {
  for (let index = 0; index < items.length; index++) {
    const value = reviveNode(items[index], depth + 1);
    if (value === hole) delete items[index];
    else items[index] = value;
  }
  return items;
}

function reviveTag(tag: string, data: unknown): unknown {
  switch (tag) {
    case "hole":
      return hole;
    case "class":
      return readClass(data);
    case "Error":
      return readError(data) ?? malformed(tag);
    case "null":
      return isObject(data) ? Object.assign(Object.create(null), data) : malformed(tag);
    case "object":
      return readEscaped(data) ?? malformed(tag);
    default: {
      const read = readerFor(tag);
      if (!read)
        throw new UnreadableValueError(
          `stored value has the unknown tag ${JSON.stringify(`$rt:${tag}`)}; a newer version may have written it`,
        );
      let result: { readonly value: unknown } | undefined;
      try {
        result = read(data);
      } catch (cause) {
        return malformed(tag, cause);
      }
      return result ? result.value : malformed(tag);
    }
  }
}

function readClass(data: unknown): unknown {
  if (!Array.isArray(data) || data.length !== 2 || typeof data[0] !== "string") return malformed("class");
  const [name, stored]: [string, unknown] = data as [string, unknown];
  const registered = classes().byName.get(name);
  if (!registered) {
    throw new UnreadableValueError(
      `stored value is of the class ${JSON.stringify(name)}, which is not registered here; call registerClass() before the run`,
    );
  }
  try {
    return registered.decode(stored);
  } catch (cause) {
    throw new UnreadableValueError(
      `decode() of the registered class ${JSON.stringify(name)} failed: ${thrownText(cause)}`,
      { cause },
    );
  }
}

function readEscaped(data: unknown): object | undefined {
  if (!Array.isArray(data) || !Array.isArray(data[0]) || data.length !== 1) return undefined;
  const [key, value]: unknown[] = data[0];
  return typeof key === "string" ? { [key]: value } : undefined;
}

function isObject(data: unknown): data is object {
  return typeof data === "object" && data !== null && !Array.isArray(data);
}

function malformed(tag: string, cause?: unknown): never {
  throw new UnreadableValueError(
    `stored value tagged "$rt:${tag}" is not of that tag's form`,
    cause === undefined ? undefined : { cause },
  );
}
