import { boolArray, int4Array, int8Array, textArray } from "./connections/binary-arrays.ts";

export { boolArray, int4Array, int8Array, textArray };

const byteaType = 17;
const headerBytes = 20;

/** A `bytea[]` in PostgreSQL's binary form (array_recv): no escaping, one copy. */
export function byteaArray(values: readonly (Uint8Array | null | undefined)[]): Buffer {
  let bytes = headerBytes + 4 * values.length;
  let nulls = 0;
  for (const value of values) {
    bytes += value?.byteLength ?? 0;
    if (value === null || value === undefined) nulls = 1;
  }
  const array = Buffer.allocUnsafe(values.length === 0 ? 12 : bytes);
  array.writeInt32BE(values.length === 0 ? 0 : 1, 0);
  array.writeInt32BE(nulls, 4);
  array.writeInt32BE(byteaType, 8);
  if (values.length === 0) return array;
  array.writeInt32BE(values.length, 12);
  array.writeInt32BE(1, 16);
  let at = headerBytes;
  for (const value of values) {
    if (value === null || value === undefined) {
      at = array.writeInt32BE(-1, at);
    } else {
      at = array.writeInt32BE(value.byteLength, at);
      array.set(value, at);
      at += value.byteLength;
    }
  }
  return array;
}

/** The ids without repetition, as statements that lock take them. */
export function distinctIds(ids: Iterable<string>): Buffer {
  return textArray([...new Set(ids)]);
}
