import { limits } from "../limits.ts";

/** True when `JSON.stringify` stores the value exactly: nulls, booleans, strings, finite numbers but −0, dense arrays and plain
 *  objects without accessors, symbol keys or a lone `$rt:` key. False sends the value to the slow writer, which also finds the
 *  reason and the path of what can't be stored. */
export function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return isPlainPrimitive(value);
  const walk: Walk = { ancestors: [], nodes: 0 };
  return isPlainObject(value, walk);
}

interface Walk {
  /** Containers from the root to here: one of them again is a cycle. */
  readonly ancestors: object[];
  nodes: number;
}

function isPlainPrimitive(value: unknown): boolean {
  if (typeof value === "string") return true;
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0);
  return typeof value === "boolean" || value === null;
}

function isPlainObject(value: object, walk: Walk): boolean {
  const { ancestors } = walk;
  if (ancestors.length >= limits.plainDepthMax || ancestors.includes(value)) return false;
  if (Object.getOwnPropertySymbols(value).length > 0) return false;
  ancestors.push(value);
  const plain = Array.isArray(value) ? areItemsPlain(value, walk) : areMembersPlain(value, walk);
  ancestors.pop();
  return plain;
}

function areItemsPlain(items: readonly unknown[], walk: Walk): boolean {
  if (Object.getPrototypeOf(items) !== Array.prototype) return false;
  // As many keys as items: no member beside them (a hole would show as undefined below).
  if (Object.keys(items).length !== items.length) return false;
  walk.nodes += items.length;
  if (walk.nodes > limits.plainNodesMax) return false;
  for (const item of items) {
    if (typeof item === "object" && item !== null ? !isPlainObject(item, walk) : !isPlainPrimitive(item)) return false;
  }
  return true;
}

function areMembersPlain(object: object, walk: Walk): boolean {
  if (Object.getPrototypeOf(object) !== Object.prototype) return false;
  const keys = Object.keys(object);
  if (keys.length === 1 && (keys[0] as string).startsWith("$rt:")) return false;
  walk.nodes += keys.length;
  if (walk.nodes > limits.plainNodesMax) return false;
  for (const key of keys) {
    const member = Object.getOwnPropertyDescriptor(object, key);
    if (member === undefined || member.get !== undefined || member.set !== undefined) return false;
    const value: unknown = member.value;
    if (typeof value === "object" && value !== null ? !isPlainObject(value, walk) : !isPlainPrimitive(value))
      return false;
  }
  return true;
}
