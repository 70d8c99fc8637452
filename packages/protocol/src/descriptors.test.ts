import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import type { DescField, DescFile, DescMessage, Message } from "@bufbuild/protobuf";
import { createFileRegistry, fromBinary, isFieldSet, ScalarType, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import * as fc from "fast-check";
import { anyMessage, files, schemaNamed, schemas, seed } from "./testing/messages.ts";
import { decodeMessage } from "./wire/decode.ts";
import { encodeMessage } from "./wire/encode.ts";

before(() => console.log(`SEED=${seed}`));

interface Field {
  number: number;
  name: string;
  type: string;
  label?: string;
  oneof?: string;
}
interface Package {
  package: string;
  messages: Record<string, Field[]>;
  enums: Record<string, Record<string, number>>;
}

const root = new URL("../", import.meta.url);
const original = Object.values(
  JSON.parse(readFileSync(new URL("testdata/descriptors.json", root), "utf8")) as Record<string, Package>,
);
const base = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(new URL("proto-base/runtara-1.4.1.binpb", root))),
);

const isExtension = (number: number): boolean => number >= 100 && number <= 199;

function describeFile(file: DescFile, keep: (number: number) => boolean): Package {
  const messages = file.messages.map((message): [string, Field[]] => [
    message.name,
    message.fields
      .filter((field) => keep(field.number))
      .map(describeField)
      .sort((a, b) => a.number - b.number),
  ]);
  const enums = file.enums.map((one): [string, Record<string, number>] => [
    one.name,
    Object.fromEntries(one.values.filter((value) => keep(value.number)).map((value) => [value.name, value.number])),
  ]);
  return { package: file.proto.package, messages: Object.fromEntries(messages), enums: Object.fromEntries(enums) };
}

function describeField(field: DescField): Field {
  const described: Field = { number: field.number, name: field.name, type: typeName(field) };
  if (field.proto.proto3Optional) described.label = "optional";
  if (field.fieldKind === "list") described.label = "repeated";
  if (field.oneof) described.oneof = field.oneof.name;
  return described;
}

function typeName(field: DescField): string {
  if (field.fieldKind === "map") {
    const value = field.mapKind === "scalar" ? scalarName(field.scalar) : field.mapKind;
    return `map<${scalarName(field.mapKey)}, ${value}>`;
  }
  if (field.message) return field.message.typeName;
  return field.enum ? field.enum.typeName : scalarName(field.scalar ?? 0);
}

function scalarName(scalar: ScalarType | 0): string {
  return scalar === 0 ? "none" : (ScalarType[scalar] ?? "none").toLowerCase();
}

function sorted(described: Package): Package {
  const messages = Object.entries(described.messages).map(([name, fields]): [string, Field[]] => [
    name,
    [...fields].sort((a, b) => a.number - b.number),
  ]);
  return { ...described, messages: Object.fromEntries(messages) };
}

test("the frozen base image is exactly the original's messages, fields, numbers, types, labels, oneofs and enums", () => {
  const described = [...base.files].map((file) => describeFile(file, () => true));
  assert.equal(described.length, original.length);
  for (const expected of original) {
    const got = described.find((one) => one.package === expected.package);
    assert.deepEqual(got, sorted(expected), expected.package);
  }
});

test("the generated code without numbers 100 to 199 is exactly the original's protocol", () => {
  for (const expected of original) {
    const file = files.find((one) => one.proto.package === expected.package);
    assert.ok(file, expected.package);
    const described = describeFile(file, (number) => !isExtension(number));
    // Messages that are extensions as a whole have no field of the base set.
    for (const name of Object.keys(described.messages)) {
      if (!(name in expected.messages) && described.messages[name]?.length === 0) delete described.messages[name];
    }
    assert.deepEqual(described, sorted(expected), expected.package);
  }
});

test("a field that an extension adds to a message of 1.4.1 may be absent", () => {
  for (const schema of schemas) {
    if (base.getMessage(schema.typeName) === undefined) continue;
    for (const field of schema.fields.filter(({ number }) => isExtension(number))) {
      const mayBeAbsent = field.oneof !== undefined || field.proto.proto3Optional || field.fieldKind === "list";
      assert.ok(mayBeAbsent, field.toString());
    }
  }
});

/** The schemas of 1.4.1 in the frozen image, each with ours. */
const pairs = [...base.files].flatMap((file) =>
  file.messages.map((old): [old: DescMessage, ours: DescMessage] => [old, schemaNamed(old.typeName)]),
);

describe("what 1.4.1 sends means the same to us, and our answer without extensions is the same bytes", () => {
  for (const [old, ours] of pairs) {
    test(old.typeName, () => {
      fc.assert(
        fc.property(anyMessage(old), (message) => {
          const bytes = toBinary(old, message);
          const read = decodeMessage(ours, bytes);
          assert.deepEqual(Buffer.from(encodeMessage(ours, read)), Buffer.from(bytes));
          for (const field of ours.fields.filter(({ number }) => isExtension(number))) {
            assert.equal(isFieldSet(read, field), false, field.toString());
          }
        }),
        { seed, numRuns: 50 },
      );
    });
  }
});

describe("what we send, extensions included, means to 1.4.1 what it means without them", () => {
  for (const [old, ours] of pairs) {
    test(old.typeName, () => {
      fc.assert(
        fc.property(anyMessage(ours), (message) => {
          const seen = fromBinary(old, encodeMessage(ours, message));
          const known = toBinary(old, seen, { writeUnknownFields: false });
          assert.deepEqual(Buffer.from(known), Buffer.from(encodeMessage(ours, withoutExtensions(ours, message))));
        }),
        { seed, numRuns: 100 },
      );
    });
  }
});

type Fields = Record<string, unknown>;

function withoutExtensions(schema: DescMessage, message: Message): Message {
  const kept: Fields = { $typeName: message.$typeName };
  for (const field of schema.fields) {
    if (isExtension(field.number) || !isFieldSet(message, field)) continue;
    const value = keptValue(field, fieldValue(message, field));
    if (field.oneof) kept[field.oneof.localName] = { case: field.localName, value };
    else kept[field.localName] = value;
  }
  return kept as unknown as Message;
}

function fieldValue(message: Message, field: DescField): unknown {
  const fields = message as unknown as Fields;
  return field.oneof ? (fields[field.oneof.localName] as { value: unknown }).value : fields[field.localName];
}

function keptValue(field: DescField, value: unknown): unknown {
  if (!field.message) return value;
  const { message } = field;
  if (field.fieldKind === "list") return (value as Message[]).map((one) => withoutExtensions(message, one));
  return withoutExtensions(message, value as Message);
}
