import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { DescField, DescFile } from "@bufbuild/protobuf";
import { createFileRegistry, fromBinary, ScalarType } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { files } from "./testing/messages.ts";

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
