import type { DescField, DescFile, DescMessage, Message } from "@bufbuild/protobuf";
import { create, ScalarType } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { file_runtara_environment_environment } from "../gen/runtara/environment/environment_pb.ts";
import { file_runtara_instance_instance } from "../gen/runtara/instance/instance_pb.ts";
import { file_runtara_management_management } from "../gen/runtara/management/management_pb.ts";

/** The three files, for tests that look at every message there is. */
export const files: readonly DescFile[] = [
  file_runtara_instance_instance,
  file_runtara_environment_environment,
  file_runtara_management_management,
];

export const schemas: readonly DescMessage[] = files.flatMap((file) => file.messages);

export function schemaNamed(typeName: string): DescMessage {
  const schema = schemas.find((one) => one.typeName === typeName);
  if (!schema) throw new Error(`no message ${typeName}`);
  return schema;
}

/** Seed of every property test of a run; SEED=n repeats one. */
export const seed: number = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Any message of `schema`, with default, edge and ordinary values, fields set and unset. */
export function anyMessage(schema: DescMessage): fc.Arbitrary<Message> {
  const members: Record<string, fc.Arbitrary<unknown>> = {};
  for (const member of schema.members) {
    members[member.localName] =
      member.kind === "oneof"
        ? fc.oneof(
            fc.constant(undefined),
            ...member.fields.map((field) => anyValue(field).map((value) => ({ case: field.localName, value }))),
          )
        : fc.option(anyValue(member), { nil: undefined });
  }
  return fc.record(members).map((init) => create(schema, init));
}

function anyValue(field: DescField): fc.Arbitrary<unknown> {
  switch (field.fieldKind) {
    case "message":
      return anyMessage(field.message);
    case "list":
      return fc.array(anyItem(field), { maxLength: 4 });
    case "map":
      return fc.dictionary(anyText, anyText, { maxKeys: 4 });
    case "enum":
      return anyEnum;
    default:
      return anyScalar(field.scalar);
  }
}

function anyItem(field: DescField & { fieldKind: "list" }): fc.Arbitrary<unknown> {
  if (field.listKind === "message") return anyMessage(field.message);
  return field.listKind === "enum" ? anyEnum : anyScalar(field.scalar);
}

const anyEnum = fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer());
const anyText = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constantFrom("\uFFFD", "\uFEFFbom", "\0", "é"));

function anyScalar(scalar: ScalarType): fc.Arbitrary<unknown> {
  switch (scalar) {
    case ScalarType.STRING:
      return anyText;
    case ScalarType.BYTES:
      return fc.oneof(fc.uint8Array(), fc.uint8Array({ minLength: 120, maxLength: 300 }));
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.UINT32:
      return fc.integer({ min: 0, max: 0xffff_ffff });
    case ScalarType.INT64:
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case ScalarType.UINT64:
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case ScalarType.DOUBLE:
      return fc.double();
    default:
      throw new Error(`no values for scalar type ${ScalarType[scalar]}`);
  }
}
