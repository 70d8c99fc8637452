import type { DescField, DescMessage, Message, MessageShape } from "@bufbuild/protobuf";
import { create, ScalarType } from "@bufbuild/protobuf";
import { limits } from "../limits.ts";
import { Reader, wireType } from "./reader.ts";
import { scalarCodec } from "./scalars.ts";

/** A message while it is being filled: fields by their names in TypeScript. */
type Fields = Record<string, unknown>;

interface FieldDecoder {
  readonly name: string;
  readonly wireType: number;
  /** Also accepted, for lists of numbers that arrive packed. */
  readonly packed: boolean;
  /** Reads one occurrence and stores it: replaced, appended or merged as protobuf says. */
  store(message: Fields, reader: Reader): void;
}

interface MessageDecoder {
  /** The message with every field at its default; copied, because a copy of a literal is much faster than `create`. */
  template: Fields;
  /** Members that must not be shared between copies. */
  fresh: { name: string; make: () => unknown }[];
  /** By field number. */
  fields: (FieldDecoder | undefined)[];
}

/**
 * Decodes one message of `schema`, strictly: malformed input, a wrong wire type and text that is not UTF-8 are errors.
 * Unknown fields are dropped. Values of type bytes are views of `bytes`: copy what outlives the buffer, and never
 * change the buffer afterwards.
 *
 * @throws ProtocolError DECODE_FAILED, with the field at hand in its text.
 */
export function decodeMessage<Schema extends DescMessage>(schema: Schema, bytes: Uint8Array): MessageShape<Schema> {
  const decoder = decoderOf(schema);
  const message = newMessage(decoder);
  readFields(decoder, message, new Reader(bytes));
  return message as MessageShape<Schema>;
}

const decoders = new WeakMap<DescMessage, MessageDecoder>();

function decoderOf(schema: DescMessage): MessageDecoder {
  const known = decoders.get(schema);
  if (known) return known;
  const decoder: MessageDecoder = { template: { ...(create(schema) as Message & Fields) }, fresh: [], fields: [] };
  // Known before its fields are compiled, so that a message may contain itself.
  decoders.set(schema, decoder);
  for (const member of schema.members) {
    const name = member.localName;
    if (member.kind === "oneof") decoder.fresh.push({ name, make: () => ({ case: undefined }) });
    else if (member.fieldKind === "list") decoder.fresh.push({ name, make: () => [] });
    else if (member.fieldKind === "map") decoder.fresh.push({ name, make: () => ({}) });
  }
  for (const field of schema.fields) decoder.fields[field.number] = fieldDecoder(field);
  return decoder;
}

function newMessage(decoder: MessageDecoder): Fields {
  const message = { ...decoder.template };
  for (const { name, make } of decoder.fresh) message[name] = make();
  return message;
}

function readFields(decoder: MessageDecoder, message: Fields, reader: Reader): void {
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    const field = decoder.fields[tag >>> 3];
    if (field === undefined) {
      reader.at = "unknown field";
      reader.skip(tag);
      continue;
    }
    reader.at = field.name;
    if ((tag & 7) !== field.wireType && !(field.packed && (tag & 7) === wireType.bytes)) {
      reader.fail(`wire type ${tag & 7} instead of ${field.wireType}`);
    }
    if (field.packed && (tag & 7) === wireType.bytes) readPacked(field, message, reader);
    else field.store(message, reader);
  }
}

function readPacked(field: FieldDecoder, message: Fields, reader: Reader): void {
  const outerEnd = reader.end;
  const end = reader.length() + reader.pos;
  reader.end = end;
  while (reader.pos < end) field.store(message, reader);
  reader.end = outerEnd;
}

function readMessage(decoder: MessageDecoder, message: Fields, reader: Reader): void {
  const outerEnd = reader.end;
  const length = reader.nestedLength();
  if (++reader.depth > limits.nestingMax) reader.fail(`nested deeper than ${limits.nestingMax}`);
  reader.end = reader.pos + length;
  readFields(decoder, message, reader);
  reader.end = outerEnd;
  reader.depth--;
}

function fieldDecoder(field: DescField): FieldDecoder {
  const name = `field ${field.name} of ${field.parent.typeName}`;
  switch (field.fieldKind) {
    case "message":
      return { name, wireType: wireType.bytes, packed: false, store: storeMessage(field.message, field) };
    case "map":
      return { name, wireType: wireType.bytes, packed: false, store: storeMapEntry(field) };
    case "list":
      return listDecoder(name, field);
    default: {
      const codec = scalarCodec(field.fieldKind === "enum" ? ScalarType.INT32 : field.scalar);
      return { name, wireType: codec.wireType, packed: false, store: storeScalar(codec.read, field) };
    }
  }
}

function storeScalar(read: (reader: Reader) => unknown, field: DescField): FieldDecoder["store"] {
  const name = field.localName;
  const oneof = field.oneof?.localName;
  if (oneof === undefined) {
    return (message, reader) => {
      message[name] = read(reader);
    };
  }
  return (message, reader) => {
    message[oneof] = { case: name, value: read(reader) };
  };
}

/** A second occurrence is merged into the first one; in a oneof only if no other member came between. */
function storeMessage(schema: DescMessage, field: DescField): FieldDecoder["store"] {
  const name = field.localName;
  const oneof = field.oneof?.localName;
  const decoder = decoderOf(schema);
  if (oneof === undefined) {
    return (message, reader) => {
      const value = (message[name] as Fields | undefined) ?? newMessage(decoder);
      readMessage(decoder, value, reader);
      message[name] = value;
    };
  }
  return (message, reader) => {
    const before = message[oneof] as { case: string | undefined; value?: Fields };
    const value = before.case === name && before.value ? before.value : newMessage(decoder);
    readMessage(decoder, value, reader);
    message[oneof] = { case: name, value };
  };
}

function listDecoder(name: string, field: DescField & { fieldKind: "list" }): FieldDecoder {
  const local = field.localName;
  if (field.listKind === "message") {
    const decoder = decoderOf(field.message);
    const store = (message: Fields, reader: Reader): void => {
      const value = newMessage(decoder);
      readMessage(decoder, value, reader);
      (message[local] as unknown[]).push(value);
    };
    return { name, wireType: wireType.bytes, packed: false, store };
  }
  const codec = scalarCodec(field.listKind === "enum" ? ScalarType.INT32 : field.scalar);
  const store = (message: Fields, reader: Reader): void => {
    reader.countItem();
    (message[local] as unknown[]).push(codec.read(reader));
  };
  return { name, wireType: codec.wireType, packed: codec.wireType !== wireType.bytes, store };
}

/** The only maps of the protocols are text to text; anything else would be a new protocol. */
function storeMapEntry(field: DescField & { fieldKind: "map" }): FieldDecoder["store"] {
  if (field.mapKey !== ScalarType.STRING || field.mapKind !== "scalar" || field.scalar !== ScalarType.STRING) {
    throw new Error(`${field}: only map<string, string> can be decoded`);
  }
  const local = field.localName;
  return (message, reader) => {
    const outerEnd = reader.end;
    reader.end = reader.nestedLength() + reader.pos;
    const entry: [string, string] = ["", ""];
    while (reader.pos < reader.end) {
      const tag = reader.tag();
      if (tag >>> 3 > 2) reader.skip(tag);
      else if ((tag & 7) !== wireType.bytes) reader.fail(`wire type ${tag & 7} in a map entry`);
      else entry[tag >>> 3 === 1 ? 0 : 1] = reader.string();
    }
    reader.end = outerEnd;
    put(message[local] as Fields, entry[0], entry[1]);
  };
}

/** As an own property, whatever the key; only "__proto__" must be defined, which costs several times an assignment. */
function put(map: Fields, key: string, value: unknown): void {
  if (key !== "__proto__") map[key] = value;
  else Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
}
