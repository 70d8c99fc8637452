import { limits } from "../limits.ts";

/** True when `JSON.stringify` stores the value exactly: nulls, booleans, strings, finite numbers but −0, dense arrays and plain
 *  objects without accessors, symbol keys or a lone `$rt:` key. False sends the value to the slow writer, which also finds the
 *  reason and the path of what can't be stored. A cycle is left to it, too: it is deeper than what is looked at here. */
export function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return isPlainPrimitive(value);
  return nodesLeft(value, limits.plainDepthMax, limits.plainNodesMax) >= 0;
}

const notPlain = -1;

function isPlainPrimitive(value: unknown): boolean {
  if (typeof value === "string") return true;
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0);
  return typeof value === "boolean" || value === null;
}

/** How many of the nodes that may be looked at remain behind this one; negative: it is not plain, or too large to tell. */
function nodesLeft(value: object, depth: number, nodes: number): number {
  if (depth === 0 || Object.getOwnPropertySymbols(value).length > 0) return notPlain;
  return Array.isArray(value) ? behindItems(value, depth - 1, nodes) : behindMembers(value, depth - 1, nodes);
}

function behindItems(items: readonly unknown[], depth: number, nodes: number): number {
  if (Object.getPrototypeOf(items) !== Array.prototype) return notPlain;
  // As many keys as items: no member beside them (a hole would show as undefined below).
  if (Object.keys(items).length !== items.length) return notPlain;
  let left = nodes - items.length;
  for (const item of items) {
    if (left < 0) return left;
    if (typeof item === "object" && item !== null) left = nodesLeft(item, depth, left);
    else if (!isPlainPrimitive(item)) return notPlain;
  }
  return left;
}

function behindMembers(object: object, depth: number, nodes: number): number {
  if (Object.getPrototypeOf(object) !== Object.prototype) return notPlain;
  const keys = Object.keys(object);
  if (keys.length === 1 && (keys[0] as string).startsWith("$rt:")) return notPlain;
  let left = nodes - keys.length;
  for (const key of keys) {
    if (left < 0) return left;
    // An accessor has no value, so it is not plain.
    const value: unknown = Object.getOwnPropertyDescriptor(object, key)?.value;
    if (typeof value === "object" && value !== null) left = nodesLeft(value, depth, left);
    else if (!isPlainPrimitive(value)) return notPlain;
  }
  return left;
}
