import { ScalarType } from "@bufbuild/protobuf";
import { type Reader, wireType } from "./reader.ts";
import { type Sizes, varint64Size, varintSize, type Writer } from "./writer.ts";

/** How one scalar type of protobuf is checked, measured, written and read. */
export interface ScalarCodec {
  readonly wireType: number;
  /** What a value must be, for error texts. */
  readonly expected: string;
  fits(value: unknown): boolean;
  isDefault(value: unknown): boolean;
  /** Bytes without the tag; called only with values that fit, as are the next two. */
  size(value: unknown, sizes: Sizes): number;
  write(value: unknown, writer: Writer): void;
  read(reader: Reader): unknown;
}

/** The scalar types that the protocols use. Enums are int32. */
export function scalarCodec(scalar: ScalarType): ScalarCodec {
  const codec = codecs.get(scalar);
  if (!codec) throw new Error(`scalar type ${ScalarType[scalar]} is not used by the protocols and has no codec`);
  return codec;
}

const text: ScalarCodec = {
  wireType: wireType.bytes,
  expected: "a string",
  fits: (value) => typeof value === "string",
  isDefault: (value) => value === "",
  size(value, sizes) {
    const length = Buffer.byteLength(value as string);
    sizes.add(length);
    return varintSize(length) + length;
  },
  write(value, writer) {
    const length = writer.sizes.next();
    writer.varint(length);
    writer.text(value as string, length);
  },
  read: (reader) => reader.string(),
};

const bytes: ScalarCodec = {
  wireType: wireType.bytes,
  expected: "a Uint8Array",
  fits: (value) => value instanceof Uint8Array,
  isDefault: (value) => (value as Uint8Array).length === 0,
  size: (value) => varintSize((value as Uint8Array).length) + (value as Uint8Array).length,
  write(value, writer) {
    writer.varint((value as Uint8Array).length);
    writer.raw(value as Uint8Array);
  },
  read: (reader) => reader.bytesView(),
};

const bool: ScalarCodec = {
  wireType: wireType.varint,
  expected: "a boolean",
  fits: (value) => typeof value === "boolean",
  isDefault: (value) => value === false,
  size: () => 1,
  write: (value, writer) => writer.varint(value === true ? 1 : 0),
  read: (reader) => reader.bool(),
};

const uint32: ScalarCodec = {
  wireType: wireType.varint,
  expected: "an integer from 0 to 4294967295",
  fits: (value) => typeof value === "number" && value >>> 0 === value,
  isDefault: (value) => value === 0,
  size: (value) => varintSize(value as number),
  write: (value, writer) => writer.varint(value as number),
  read: (reader) => reader.uint32(),
};

const int32: ScalarCodec = {
  wireType: wireType.varint,
  expected: "an integer from -2147483648 to 2147483647",
  fits: (value) => typeof value === "number" && (value | 0) === value,
  isDefault: (value) => value === 0,
  // Negative numbers are extended to 64 bits.
  size: (value) => ((value as number) < 0 ? 10 : varintSize(value as number)),
  write(value, writer) {
    if ((value as number) < 0) writer.varint64(BigInt(value as number));
    else writer.varint(value as number);
  },
  read: (reader) => reader.int32(),
};

const uint64: ScalarCodec = {
  wireType: wireType.varint,
  expected: "a bigint from 0 to 18446744073709551615",
  fits: (value) => typeof value === "bigint" && BigInt.asUintN(64, value) === value,
  isDefault: (value) => value === 0n,
  size: (value) => varint64Size(value as bigint),
  write: (value, writer) => writer.varint64(value as bigint),
  read: (reader) => reader.uint64(),
};

const int64: ScalarCodec = {
  ...uint64,
  expected: "a bigint from -9223372036854775808 to 9223372036854775807",
  fits: (value) => typeof value === "bigint" && BigInt.asIntN(64, value) === value,
  read: (reader) => reader.int64(),
};

const double: ScalarCodec = {
  wireType: wireType.fixed64,
  expected: "a number",
  fits: (value) => typeof value === "number",
  // Minus zero is not the default.
  isDefault: (value) => Object.is(value, 0),
  size: () => 8,
  write: (value, writer) => writer.double(value as number),
  read: (reader) => reader.double(),
};

const codecs = new Map<ScalarType, ScalarCodec>([
  [ScalarType.STRING, text],
  [ScalarType.BYTES, bytes],
  [ScalarType.BOOL, bool],
  [ScalarType.UINT32, uint32],
  [ScalarType.INT32, int32],
  [ScalarType.UINT64, uint64],
  [ScalarType.INT64, int64],
  [ScalarType.DOUBLE, double],
]);
