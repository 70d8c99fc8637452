import assert from "node:assert/strict";

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(state: Uint8Array): string {
  return new TextDecoder().decode(state);
}

/**
 * Deep equality of results as data: an engine may answer with a Buffer for bytes, with objects of another realm, and with absent members
 * where another has undefined ones.
 */
export function same(actual: unknown, expected: unknown, message?: string): void {
  assert.deepEqual(plain(actual), plain(expected), message);
}

export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, plain(member)]));
}
