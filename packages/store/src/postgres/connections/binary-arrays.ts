// One-dimensional arrays in PostgreSQL's binary form (array_recv): dimensions, has-nulls flag, element type, length and lower bound, then each
// element with its length in bytes, −1 for NULL. Neither quoting here nor parsing of text there.

const headerBytes = 20;
const boolType = 16;
const int8Type = 20;
const int4Type = 23;
const textType = 25;

export function textArray(values: readonly (string | null)[]): Buffer {
  let bytes = headerBytes + 4 * values.length;
  for (const value of values) if (value !== null) bytes += Buffer.byteLength(value);
  const array = withHeader(textType, values.length, values.includes(null), bytes);
  let at = headerBytes;
  for (const value of values) {
    const length = value === null ? -1 : array.write(value, at + 4);
    at = array.writeInt32BE(length, at) + Math.max(length, 0);
  }
  return array;
}

export function int4Array(values: readonly (number | null)[]): Buffer {
  return fixed(int4Type, 4, values, (array, value, at) => array.writeInt32BE(value, at));
}

/** Whole numbers below 2^53. */
export function int8Array(values: readonly (number | null)[]): Buffer {
  return fixed(int8Type, 8, values, writeInt8);
}

export function boolArray(values: readonly (boolean | null)[]): Buffer {
  return fixed(boolType, 1, values, (array, value, at) => array.writeUInt8(value ? 1 : 0, at));
}

function writeInt8(array: Buffer, value: number, at: number): void {
  array.writeInt32BE(Math.floor(value / 0x1_0000_0000), at);
  array.writeUInt32BE(value >>> 0, at + 4);
}

function fixed<T>(
  type: number,
  size: number,
  values: readonly (T | null)[],
  write: (array: Buffer, value: T, at: number) => void,
): Buffer {
  const nulls = values.reduce((count, value) => (value === null ? count + 1 : count), 0);
  const array = withHeader(type, values.length, nulls > 0, headerBytes + (4 + size) * values.length - size * nulls);
  let at = headerBytes;
  for (const value of values) {
    at = array.writeInt32BE(value === null ? -1 : size, at);
    if (value === null) continue;
    write(array, value, at);
    at += size;
  }
  return array;
}

/** An empty array has no dimensions, and its header ends after the type. */
function withHeader(type: number, length: number, nulls: boolean, bytes: number): Buffer {
  const array = Buffer.allocUnsafe(length === 0 ? 12 : bytes);
  array.writeInt32BE(length === 0 ? 0 : 1, 0);
  array.writeInt32BE(nulls ? 1 : 0, 4);
  array.writeInt32BE(type, 8);
  if (length === 0) return array;
  array.writeInt32BE(length, 12);
  array.writeInt32BE(1, 16);
  return array;
}
