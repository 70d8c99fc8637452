import type { DescField, DescMessage, DescOneof, MessageShape } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { ProtocolError } from "../errors.ts";
import { wireType } from "./reader.ts";
import { type ScalarCodec, scalarCodec } from "./scalars.ts";
import { Sizes, varintSize, Writer } from "./writer.ts";

/** A message as what it is at run time: fields by their names in TypeScript. */
type Fields = Record<string, unknown>;

/** Encodes the value of one member of a message: a field, or a whole oneof. */
interface MemberEncoder {
  readonly name: string;
  /** Bytes of value and tag; 0 = nothing to write. Checks the value. */
  size(value: unknown, sizes: Sizes): number;
  /** Writes what `size` has measured. */
  write(value: unknown, writer: Writer): void;
}

interface MessageEncoder {
  readonly typeName: string;
  /** In the order of their numbers, which is the order of the golden encodings; a oneof stands at its first one. */
  members: MemberEncoder[];
}

/**
 * Encodes one message of `schema`: fields in the order of their numbers, plain fields at their default left out.
 * The message is a plain object with a matching `$typeName`; a plain field that is missing counts as its default, and
 * `$unknown` is not written. The result belongs to the caller.
 *
 * @throws ProtocolError ENCODE_FAILED when a value does not fit its field; the text names the field.
 */
export function encodeMessage<Schema extends DescMessage>(schema: Schema, message: MessageShape<Schema>): Uint8Array {
  const encoder = encoderOf(schema);
  const fields = asMessage(encoder, message);
  sizes.clear();
  const writer = new Writer(messageSize(encoder, fields, sizes), sizes);
  writeMessage(encoder, fields, writer);
  return writer.bytes;
}

/** One for all: encoding never waits, so no two are ever under way. */
const sizes = new Sizes();
const encoders = new WeakMap<DescMessage, MessageEncoder>();

function encoderOf(schema: DescMessage): MessageEncoder {
  const known = encoders.get(schema);
  if (known) return known;
  const encoder: MessageEncoder = { typeName: schema.typeName, members: [] };
  // Known before its members are compiled, so that a message may contain itself.
  encoders.set(schema, encoder);
  const numberOf = (member: DescField | DescOneof): number =>
    member.kind === "oneof" ? Math.min(...member.fields.map((field) => field.number)) : member.number;
  const sorted = [...schema.members].sort((a, b) => numberOf(a) - numberOf(b));
  encoder.members = sorted.map((member) => (member.kind === "oneof" ? oneofEncoder(member) : fieldEncoder(member)));
  return encoder;
}

function asMessage(encoder: MessageEncoder, value: unknown): Fields {
  const typeName = (value as Fields | null)?.$typeName;
  if (typeName === encoder.typeName) return value as Fields;
  const got = typeof typeName === "string" ? typeName : "an object without $typeName";
  throw new ProtocolError("ENCODE_FAILED", `expected a ${encoder.typeName}, got ${got}; use create(schema, init)`);
}

/** Members beyond this one are looked at again when writing. */
const markedMembersMax = 31;

/** Notes which members have something to write, so that absent ones, of which most messages have some, cost one look. */
function messageSize(encoder: MessageEncoder, message: Fields, sizes: Sizes): number {
  const { members } = encoder;
  const place = sizes.reserve();
  let size = 0;
  let marks = 0;
  for (let i = 0; i < members.length; i++) {
    const member = members[i] as MemberEncoder;
    const value = message[member.name];
    const memberSize = value === undefined ? 0 : member.size(value, sizes);
    size += memberSize;
    if (memberSize > 0 && i < markedMembersMax) marks |= 1 << i;
  }
  sizes.fill(place, marks);
  return size;
}

function writeMessage(encoder: MessageEncoder, message: Fields, writer: Writer): void {
  const { members } = encoder;
  const marks = writer.sizes.next();
  for (let i = 0; i < members.length; i++) {
    if (i < markedMembersMax && (marks & (1 << i)) === 0) continue;
    const member = members[i] as MemberEncoder;
    const value = message[member.name];
    if (value !== undefined) member.write(value, writer);
  }
}

function oneofEncoder(oneof: DescOneof): MemberEncoder {
  type Oneof = { readonly case: string | undefined; readonly value?: unknown };
  const cases = new Map(
    oneof.fields.map((field): [string | undefined, MemberEncoder] => [field.localName, fieldEncoder(field)]),
  );
  return {
    name: oneof.localName,
    size: (set, sizes) => cases.get((set as Oneof).case)?.size((set as Oneof).value, sizes) ?? 0,
    write: (set, writer) => cases.get((set as Oneof).case)?.write((set as Oneof).value, writer),
  };
}

function fieldEncoder(field: DescField): MemberEncoder {
  const name = field.localName;
  switch (field.fieldKind) {
    case "message":
      return { name, ...messageField(field.number, encoderOf(field.message)) };
    case "list":
      return { name, ...listField(field) };
    case "map":
      return { name, ...mapField(field) };
    default:
      return { name, ...scalarField(field, field.fieldKind === "enum" ? ScalarType.INT32 : field.scalar) };
  }
}

type ValueEncoder = Pick<MemberEncoder, "size" | "write">;

function tagOf(number: number, type: number): number {
  return ((number << 3) | type) >>> 0;
}

function scalarField(field: DescField, scalar: ScalarType): ValueEncoder {
  const codec = scalarCodec(scalar);
  const tag = tagOf(field.number, codec.wireType);
  const tagSize = varintSize(tag);
  // A member of a oneof and an `optional` field have presence: they are written even at their default.
  const hasPresence = field.oneof !== undefined || field.proto.proto3Optional;
  const absent = (value: unknown): boolean => !hasPresence && codec.isDefault(value);
  return {
    size(value, sizes) {
      if (!codec.fits(value)) return misfit(field, codec, value);
      return absent(value) ? 0 : tagSize + codec.size(value, sizes);
    },
    write(value, writer) {
      if (absent(value)) return;
      writer.varint(tag);
      codec.write(value, writer);
    },
  };
}

function misfit(field: DescField, codec: ScalarCodec, value: unknown): never {
  const got = typeof value === "number" || typeof value === "bigint" ? String(value) : typeof value;
  const name = `${field.localName} of ${field.parent.typeName}`;
  throw new ProtocolError("ENCODE_FAILED", `${name} must be ${codec.expected}, got ${got}`);
}

function messageField(number: number, encoder: MessageEncoder): ValueEncoder {
  const tag = tagOf(number, wireType.bytes);
  const tagSize = varintSize(tag);
  return {
    size(value, sizes) {
      const place = sizes.reserve();
      const size = messageSize(encoder, asMessage(encoder, value), sizes);
      sizes.fill(place, size);
      return tagSize + varintSize(size) + size;
    },
    write(value, writer) {
      writer.varint(tag);
      writer.varint(writer.sizes.next());
      writeMessage(encoder, value as Fields, writer);
    },
  };
}

function listField(field: DescField & { fieldKind: "list" }): ValueEncoder {
  if (field.listKind !== "message")
    return scalarList(field, field.listKind === "enum" ? ScalarType.INT32 : field.scalar);
  const item = messageField(field.number, encoderOf(field.message));
  return {
    size: (value, sizes) => (value as unknown[]).reduce<number>((sum, one) => sum + item.size(one, sizes), 0),
    write(value, writer) {
      for (const one of value as unknown[]) item.write(one, writer);
    },
  };
}

function scalarList(field: DescField, scalar: ScalarType): ValueEncoder {
  const codec = scalarCodec(scalar);
  return codec.wireType === wireType.bytes ? textList(field, codec) : packedList(field, codec);
}

/** Texts or bytes: each with its own tag, whatever its value. */
function textList(field: DescField, codec: ScalarCodec): ValueEncoder {
  const tag = tagOf(field.number, codec.wireType);
  const tagSize = varintSize(tag);
  return {
    size(value, sizes) {
      let sum = 0;
      for (const one of value as unknown[]) {
        sum += codec.fits(one) ? tagSize + codec.size(one, sizes) : misfit(field, codec, one);
      }
      return sum;
    },
    write(value, writer) {
      for (const one of value as unknown[]) {
        writer.varint(tag);
        codec.write(one, writer);
      }
    },
  };
}

/** Numbers: one tag, the length of all, then one after another. */
function packedList(field: DescField, codec: ScalarCodec): ValueEncoder {
  const tag = tagOf(field.number, wireType.bytes);
  const tagSize = varintSize(tag);
  return {
    size(value, sizes) {
      const list = value as unknown[];
      if (list.length === 0) return 0;
      const place = sizes.reserve();
      let size = 0;
      for (const one of list) size += codec.fits(one) ? codec.size(one, sizes) : misfit(field, codec, one);
      sizes.fill(place, size);
      return tagSize + varintSize(size) + size;
    },
    write(value, writer) {
      const list = value as unknown[];
      if (list.length === 0) return;
      writer.varint(tag);
      writer.varint(writer.sizes.next());
      for (const one of list) codec.write(one, writer);
    },
  };
}

/** Text to text, the only maps of the protocols. An entry is a message of its own, both fields always written. */
function mapField(field: DescField & { fieldKind: "map" }): ValueEncoder {
  if (field.mapKey !== ScalarType.STRING || field.mapKind !== "scalar" || field.scalar !== ScalarType.STRING) {
    throw new Error(`${field}: only map<string, string> can be encoded`);
  }
  const text = scalarCodec(ScalarType.STRING);
  const tag = tagOf(field.number, wireType.bytes);
  const tags = [tagOf(1, wireType.bytes), tagOf(2, wireType.bytes)] as const;
  return {
    size(value, sizes) {
      let sum = 0;
      for (const [key, entry] of Object.entries(value as Record<string, unknown>)) {
        if (!text.fits(entry)) misfit(field, text, entry);
        const place = sizes.reserve();
        const size = 2 + text.size(key, sizes) + text.size(entry, sizes);
        sizes.fill(place, size);
        sum += varintSize(tag) + varintSize(size) + size;
      }
      return sum;
    },
    write(value, writer) {
      for (const [key, entry] of Object.entries(value as Record<string, unknown>)) {
        writer.varint(tag);
        writer.varint(writer.sizes.next());
        writer.varint(tags[0]);
        text.write(key, writer);
        writer.varint(tags[1]);
        text.write(entry, writer);
      }
    },
  };
}
