// The classes of the language and the platform that are stored: one writer by prototype and one reader by tag each.

import { fromBase64 } from "./base64.ts";
import type { Writer } from "./write.ts";

type Write = (value: object, writer: Writer) => string;
/** Undefined: the stored data is not of this tag's form. */
type Read = (data: unknown) => { readonly value: unknown } | undefined;

const writers = new Map<object, Write>();
const readers = new Map<string, Read>();

function builtin<T extends object>(
  tag: string,
  prototype: object,
  write: (value: T, writer: Writer) => string,
  read: (data: unknown) => T | undefined,
): void {
  writers.set(prototype, (value, writer) => {
    // Members of its own would be lost without a word. (The keys of a typed array are its items.)
    if (!ArrayBuffer.isView(value) && Object.keys(value).length > 0) {
      throw writer.refuse(`is a ${tag} with members of its own (${Object.keys(value)[0]})`);
    }
    writer.reserve(tag.length + 9);
    return `{"$rt:${tag}":${write(value as T, writer)}}`;
  });
  readers.set(tag, (data) => {
    const value = read(data);
    return value === undefined ? undefined : { value };
  });
}

/** The writer of a built-in class, found by the prototype of the value. */
export function writerFor(prototype: object): Write | undefined {
  return writers.get(prototype) ?? temporalWriter(prototype);
}

/** The reader of a tag (without `$rt:`). */
export function readerFor(tag: string): Read | undefined {
  return readers.get(tag) ?? temporalReader(tag);
}

const pairs = (data: unknown): data is [unknown, unknown][] =>
  Array.isArray(data) && data.every((pair) => Array.isArray(pair) && pair.length === 2);

builtin<Date>(
  "Date",
  Date.prototype,
  (date, writer) => (Number.isNaN(date.getTime()) ? "null" : writer.quote(date.toISOString())),
  (data) => {
    if (data === null) return new Date(Number.NaN);
    const date = typeof data === "string" ? new Date(data) : undefined;
    return date && !Number.isNaN(date.getTime()) ? date : undefined;
  },
);
builtin<Map<unknown, unknown>>(
  "Map",
  Map.prototype,
  (map, writer) => {
    let index = 0;
    const entries = [...map].map(([key, value]) => {
      const at = typeof key === "string" ? `.get(${JSON.stringify(key)})` : `.values()[${index}]`;
      return `[${writer.at(`.keys()[${index++}]`, key)},${writer.at(at, value)}]`;
    });
    return `[${entries.join()}]`;
  },
  (data) => (pairs(data) ? new Map(data) : undefined),
);
builtin<Set<unknown>>(
  "Set",
  Set.prototype,
  (set, writer) => writer.writeItems([...set]),
  (data) => (Array.isArray(data) ? new Set(data) : undefined),
);
builtin<URL>(
  "URL",
  URL.prototype,
  (url, writer) => writer.quote(url.href),
  (data) => (typeof data === "string" && URL.canParse(data) ? new URL(data) : undefined),
);
builtin<URLSearchParams>(
  "URLSearchParams",
  URLSearchParams.prototype,
  (query, writer) => writer.quote(query.toString()),
  (data) => (typeof data === "string" ? new URLSearchParams(data) : undefined),
);
builtin<RegExp>(
  "RegExp",
  RegExp.prototype,
  ({ source, flags, lastIndex }, writer) => {
    if (typeof lastIndex !== "number") throw writer.refuse("is a RegExp whose lastIndex is no number");
    return `[${writer.quote(source)},"${flags}",${writer.write(lastIndex)}]`;
  },
  (data) => {
    if (!Array.isArray(data) || data.length !== 3) return undefined;
    const [source, flags, lastIndex]: unknown[] = data;
    if (typeof source !== "string" || typeof flags !== "string" || typeof lastIndex !== "number") return undefined;
    const pattern = new RegExp(source, flags);
    pattern.lastIndex = lastIndex;
    return pattern;
  },
);
builtin<ArrayBuffer>(
  "ArrayBuffer",
  ArrayBuffer.prototype,
  (buffer, writer) => writer.quoteBytes(new Uint8Array(buffer)),
  (data) => bytesOf(data)?.buffer,
);

interface ViewClass {
  new (buffer: ArrayBufferLike): ArrayBufferView;
  readonly name: string;
  readonly prototype: ArrayBufferView;
  /** DataView has none. */
  readonly BYTES_PER_ELEMENT?: number;
}
const viewClasses: readonly ViewClass[] = [
  ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array],
  ...[Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView],
];
const float16 = (globalThis as unknown as { Float16Array?: ViewClass }).Float16Array;
for (const View of float16 ? [...viewClasses, float16] : viewClasses) {
  const itemBytes = View.BYTES_PER_ELEMENT ?? 1;
  builtin<ArrayBufferView>(
    View.name,
    View.prototype,
    (view, writer) => {
      const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
      return writer.quoteBytes(littleEndian(bytes, itemBytes));
    },
    (data) => {
      const bytes = bytesOf(data);
      if (!bytes || bytes.length % itemBytes !== 0) return undefined;
      return new View(littleEndian(bytes, itemBytes).buffer);
    },
  );
}

const BufferClass = (globalThis as { Buffer?: typeof Buffer }).Buffer;
if (BufferClass) {
  builtin<Uint8Array>(
    "Buffer",
    BufferClass.prototype,
    (buffer, writer) => writer.quoteBytes(buffer),
    (data) => {
      const bytes = bytesOf(data);
      return bytes && BufferClass.from(bytes.buffer);
    },
  );
} else {
  // Where there is no Buffer, its bytes come back as what it extends.
  readers.set("Buffer", (data) => {
    const value = bytesOf(data);
    return value && { value };
  });
}

readers.set("undefined", (data) => (data === 0 ? { value: undefined } : undefined));
readers.set("bigint", (data) => {
  return typeof data === "string" && /^-?\d+$/.test(data) ? { value: BigInt(data) } : undefined;
});
readers.set("number", (data) => {
  const numbers = new Map<unknown, number>([
    ["NaN", Number.NaN],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["-Infinity", Number.NEGATIVE_INFINITY],
    ["-0", -0],
  ]);
  return numbers.has(data) ? { value: numbers.get(data) } : undefined;
});

function bytesOf(data: unknown): Uint8Array<ArrayBuffer> | undefined {
  return typeof data === "string" ? fromBase64(data) : undefined;
}

const hostIsLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The bytes with the items in little-endian order: the same array on nearly every machine. */
export function littleEndian(
  bytes: Uint8Array<ArrayBufferLike>,
  itemBytes: number,
  hostIsLittle: boolean = hostIsLittleEndian,
): Uint8Array<ArrayBufferLike> {
  if (hostIsLittle || itemBytes === 1) return bytes;
  const swapped = bytes.slice();
  for (let from = 0; from < swapped.length; from += itemBytes) swapped.subarray(from, from + itemBytes).reverse();
  return swapped;
}

interface TemporalClass {
  readonly prototype: object;
  from(text: string): object;
}
const temporalNames = [
  "Instant",
  "ZonedDateTime",
  "PlainDateTime",
  "PlainDate",
  "PlainTime",
  "PlainYearMonth",
  "PlainMonthDay",
  "Duration",
];

/** Looked up at each use: a polyfill may come later than this module. */
function temporalClass(name: string): TemporalClass | undefined {
  return (globalThis as { Temporal?: Record<string, TemporalClass> }).Temporal?.[name];
}

function temporalWriter(prototype: object): Write | undefined {
  const name = temporalNames.find((candidate) => temporalClass(candidate)?.prototype === prototype);
  return name === undefined ? undefined : (value) => `{"$rt:Temporal.${name}":${JSON.stringify(String(value))}}`;
}

function temporalReader(tag: string): Read | undefined {
  const name = tag.startsWith("Temporal.") ? tag.slice("Temporal.".length) : "";
  const found = temporalNames.includes(name) ? temporalClass(name) : undefined;
  return found && ((data) => (typeof data === "string" ? { value: found.from(data) } : undefined));
}
