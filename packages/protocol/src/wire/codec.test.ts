import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { create, createFileRegistry, equals, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { FieldDescriptorProto_Type, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import * as fc from "fast-check";
import { ProtocolError } from "../errors.ts";
import { StartInstanceRequestSchema } from "../gen/runtara/environment/environment_pb.ts";
import {
  CheckpointRequestSchema,
  InstanceEventBatchSchema,
  InstanceEventSchema,
  RegisterInstanceRequestSchema,
  RegisterInstanceResponseSchema,
  RpcRequestSchema,
  SleepRequestSchema,
} from "../gen/runtara/instance/instance_pb.ts";
import { QueryInstancesRequestSchema } from "../gen/runtara/management/management_pb.ts";
import { limits } from "../limits.ts";
import { anyMessage, schemaNamed, schemas, seed } from "../testing/messages.ts";
import { decodeMessage } from "./decode.ts";
import { encodeMessage } from "./encode.ts";

before(() => console.log(`SEED=${seed}`));

const library = (schema: DescMessage, bytes: Uint8Array): Message =>
  fromBinary(schema, bytes, { readUnknownFields: false });

/** A copy without the padding that a Buffer from the pool would bring into comparisons. */
const plain = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes);
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

describe("the codec equals protobuf-es", () => {
  for (const schema of schemas) {
    test(schema.typeName, () => {
      fc.assert(
        fc.property(anyMessage(schema), (message) => {
          const bytes = plain(encodeMessage(schema, message));
          assert.deepEqual(bytes, toBinary(schema, message));
          assert.deepEqual(decodeMessage(schema, bytes), library(schema, bytes));
        }),
        { seed, numRuns: 100 },
      );
    });
  }
});

test("two encodings in a row decode to their merger, as in protobuf-es", () => {
  for (const schema of schemas) {
    fc.assert(
      fc.property(anyMessage(schema), anyMessage(schema), (first, second) => {
        const bytes = Buffer.concat([encodeMessage(schema, first), encodeMessage(schema, second)]);
        assert.deepEqual(decodeMessage(schema, bytes), library(schema, bytes));
      }),
      { seed, numRuns: 20 },
    );
  }
});

test("any bytes: what is accepted is what protobuf-es reads, everything else is a ProtocolError", () => {
  let accepted = 0;
  for (const schema of schemas) {
    const edited = fc.tuple(anyMessage(schema), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), fc.nat());
    fc.assert(
      fc.property(edited, ([message, edits, cut]) => {
        let bytes = plain(encodeMessage(schema, message));
        if (bytes.length > 0 && cut % 3 === 0) bytes = bytes.slice(0, cut % bytes.length);
        for (const [at, value] of edits) if (bytes.length > 0) bytes[at % bytes.length] = value;
        let decoded: Message;
        try {
          decoded = decodeMessage(schema, bytes);
        } catch (error) {
          assert.ok(error instanceof ProtocolError && error.code === "DECODE_FAILED", String(error));
          return;
        }
        accepted++;
        assert.deepEqual(decoded, library(schema, bytes));
      }),
      { seed, numRuns: 60 },
    );
  }
  assert.ok(accepted > 100, `only ${accepted} inputs were accepted`);
});

test("fields that nobody knows are passed over, groups included", () => {
  const unknown = hex(
    "fa01 03 616263 b03e ffffffffffffffffff01 f93e 0102030405060708 fd3e 01020304 833f 08 01 0b 0c 843f",
  );
  const known = encodeMessage(CheckpointRequestSchema, create(CheckpointRequestSchema, { instanceId: "i" }));
  const decoded = decodeMessage(CheckpointRequestSchema, Buffer.concat([unknown, known, unknown]));
  assert.ok(equals(CheckpointRequestSchema, decoded, create(CheckpointRequestSchema, { instanceId: "i" })));
  assert.equal(decoded.$unknown, undefined);
});

test("of several members of a oneof the last one wins; neighbours of the same member are merged", () => {
  const register = "0a 03 0a01 69"; // register_instance { instance_id: "i" }
  const tenant = "0a 03 1201 74"; // register_instance { tenant_id: "t" }
  const sleep = "22 02 1005"; // sleep { duration_ms: 5 }
  const merged = decodeMessage(RpcRequestSchema, hex(register + tenant)).request;
  assert.deepEqual(merged, {
    case: "registerInstance",
    value: create(RegisterInstanceRequestSchema, { instanceId: "i", tenantId: "t" }),
  });
  const last = decodeMessage(RpcRequestSchema, hex(register + sleep)).request;
  assert.deepEqual(last, { case: "sleep", value: create(SleepRequestSchema, { durationMs: 5n }) });
  const back = decodeMessage(RpcRequestSchema, hex(register + sleep + tenant)).request;
  assert.deepEqual(back, {
    case: "registerInstance",
    value: create(RegisterInstanceRequestSchema, { tenantId: "t" }),
  });
});

test("numbers wider than their field are cut as protobuf says", () => {
  const decoded = decodeMessage(InstanceEventSchema, hex("10 85 80 80 80 10 28 ff ff ff ff ff ff ff ff ff 01"));
  assert.equal(decoded.eventType, 5);
  assert.equal(decoded.timestampMs, -1n);
  const wide = decodeMessage(InstanceEventSchema, hex("10 83 80 80 80 80 80 80 80 80 01"));
  assert.equal(wide.eventType, 3);
});

const malformed: [name: string, schema: DescMessage, bytes: string, text: RegExp][] = [
  ["field number 0", CheckpointRequestSchema, "02 00", /field number 0/],
  ["tag over 32 bits", CheckpointRequestSchema, "8a 80 80 80 10 00", /536870911/],
  ["tag cut off", CheckpointRequestSchema, "8a", /cut off/],
  ["wire type 6", CheckpointRequestSchema, "0e", /wire type 6/],
  ["wire type 7 in an unknown field", CheckpointRequestSchema, "ff 3e", /wire type 7/],
  ["wrong wire type of a known field", CheckpointRequestSchema, "08 01", /instance_id .*wire type 0 instead of 2/],
  ["string longer than the message", CheckpointRequestSchema, "0a 02 61", /length 2, but only 1/],
  ["bytes longer than the message around them", RpcRequestSchema, "42 02 1a 05 00 00 00 00 00", /length 5, but only 0/],
  ["length of 2^32 + 1", CheckpointRequestSchema, "0a 81 80 80 80 10 61", /length 4294967297/],
  ["string that is not UTF-8", CheckpointRequestSchema, "0a 02 c3 28", /instance_id .*UTF-8/],
  ["surrogate in UTF-8", CheckpointRequestSchema, "12 03 ed a0 80", /checkpoint_id .*UTF-8/],
  ["long string that is not UTF-8", CheckpointRequestSchema, `0a 14 ${"61".repeat(19)} ff`, /UTF-8/],
  ["varint cut off", InstanceEventSchema, "10 80", /event_type .*cut off/],
  ["varint of 11 bytes", InstanceEventSchema, "28 ff ff ff ff ff ff ff ff ff ff 01", /over 64 bits/],
  ["varint over 64 bits", InstanceEventSchema, "28 ff ff ff ff ff ff ff ff ff 02", /over 64 bits/],
  ["end of a group that never began", CheckpointRequestSchema, "0c", /wire type 4/],
  ["group that never ends", CheckpointRequestSchema, "b3 3f 08 01", /cut off/],
  ["group ended by another number", CheckpointRequestSchema, "b3 3f bc 3f", /another field/],
  ["groups nested too deeply", CheckpointRequestSchema, "b33f".repeat(200), /nested deeper than 100/],
  ["fixed32 cut off", CheckpointRequestSchema, "fd 3e 01 02 03", /cut off/],
  ["map entry with a number", StartInstanceRequestSchema, "32 02 08 01", /map entry/],
  ["map value that is not UTF-8", StartInstanceRequestSchema, "32 03 12 01 ff", /UTF-8/],
  ["double cut off", schemaNamed("runtara.environment.MetricsBucket"), "31 00 00", /cut off/],
];
for (const [name, schema, bytes, text] of malformed) {
  test(`refused: ${name}`, () => {
    assert.throws(
      () => decodeMessage(schema, hex(bytes)),
      (error) => error instanceof ProtocolError && error.code === "DECODE_FAILED" && text.test(error.message),
    );
  });
}

test("refused: more nested messages than memory is meant for", () => {
  const events = (count: number): Uint8Array => Buffer.alloc(count * 2, hex("0a00"));
  assert.equal(decodeMessage(InstanceEventBatchSchema, events(limits.nestedMessagesMax)).events.length, 250_000);
  assert.throws(() => decodeMessage(InstanceEventBatchSchema, events(limits.nestedMessagesMax + 1)), {
    code: "DECODE_FAILED",
    message: /more than 250000 nested messages/,
  });
  const names = Buffer.alloc((limits.nestedMessagesMax + 1) * 3, hex("a20600"));
  assert.throws(() => decodeMessage(RegisterInstanceResponseSchema, names), {
    code: "DECODE_FAILED",
    message: /more than 250000 nested messages and list items/,
  });
  const statuses = Buffer.concat([hex("b20690a10f"), Buffer.alloc(250_000), hex("b20601 01")]);
  assert.throws(() => decodeMessage(QueryInstancesRequestSchema, statuses), { code: "DECODE_FAILED" });
  const entries = Buffer.alloc((limits.nestedMessagesMax + 1) * 2, hex("3200"));
  assert.throws(() => decodeMessage(StartInstanceRequestSchema, entries), { code: "DECODE_FAILED" });
});

test("lists of texts and numbers: as protobuf-es writes them; packed, single and in pieces", () => {
  const message = create(QueryInstancesRequestSchema, { statuses: [0, 1, -1 as never, 5] });
  const packed = "b2060d 00 01 ffffffffffffffffff01 05";
  assert.deepEqual(plain(encodeMessage(QueryInstancesRequestSchema, message)), hex(packed));
  const pieces = "b20600 b00600 b0 0601 b2060b ffffffffffffffffff01 05";
  assert.deepEqual(decodeMessage(QueryInstancesRequestSchema, hex(pieces)), message);
  const features = create(RegisterInstanceResponseSchema, { features: ["", "é"] });
  assert.deepEqual(plain(encodeMessage(RegisterInstanceResponseSchema, features)), hex("a20600 a20602c3a9"));
});

test("not encoded: a list with an item that does not fit", () => {
  const misfits: [DescMessage, Message][] = [
    [QueryInstancesRequestSchema, create(QueryInstancesRequestSchema, { statuses: [1.5 as never] })],
    [RegisterInstanceResponseSchema, create(RegisterInstanceResponseSchema, { features: [5 as never] })],
  ];
  for (const [schema, message] of misfits) {
    assert.throws(() => encodeMessage(schema, message), { code: "ENCODE_FAILED", message: /(statuses|features) of / });
  }
});

test("a large list is encoded as protobuf-es does it", () => {
  const batch = create(InstanceEventBatchSchema, {
    events: Array.from({ length: 70_000 }, (_, i) => ({ instanceId: `i${i}`, timestampMs: BigInt(i) })),
  });
  const bytes = encodeMessage(InstanceEventBatchSchema, batch);
  assert.ok(Buffer.from(toBinary(InstanceEventBatchSchema, batch)).equals(bytes));
  assert.equal(encodeMessage(CheckpointRequestSchema, create(CheckpointRequestSchema)).length, 0);
});

test("a string may contain U+FFFD, U+FEFF and U+0000", () => {
  const message = create(CheckpointRequestSchema, { instanceId: "\uFEFFa\uFFFD\0", checkpointId: "\uFFFD".repeat(20) });
  const decoded = decodeMessage(CheckpointRequestSchema, encodeMessage(CheckpointRequestSchema, message));
  assert.deepEqual(decoded, message);
});

test("bytes are views of the input", () => {
  const input = plain(
    encodeMessage(CheckpointRequestSchema, create(CheckpointRequestSchema, { state: hex("010203") })),
  );
  assert.equal(decodeMessage(CheckpointRequestSchema, input).state.buffer, input.buffer);
});

test("a map may have the key __proto__", () => {
  const message = create(StartInstanceRequestSchema, { env: JSON.parse('{"__proto__": "x"}') });
  const decoded = decodeMessage(StartInstanceRequestSchema, encodeMessage(StartInstanceRequestSchema, message));
  assert.deepEqual(Object.entries(decoded.env), [["__proto__", "x"]]);
});

const misfits: [name: string, init: object, text: RegExp][] = [
  ["a number for text", { instanceId: 5 }, /instanceId .*a string, got 5/],
  ["text for bytes", { state: "s" }, /state .*Uint8Array, got string/],
  ["another message", { $typeName: "runtara.instance.Signal" }, /expected a runtara.instance.CheckpointRequest/],
];
for (const [name, init, text] of misfits) {
  test(`not encoded: ${name}`, () => {
    const message = { ...create(CheckpointRequestSchema), ...init } as Message;
    assert.throws(
      () => encodeMessage(CheckpointRequestSchema as DescMessage, message),
      (error) => error instanceof ProtocolError && error.code === "ENCODE_FAILED" && text.test(error.message),
    );
  });
}

test("a message of more members than one number has bits: every single one, and all", () => {
  const count = 70;
  const field = Array.from({ length: count }, (_, i) => {
    return { name: `f${i}`, number: i + 1, type: FieldDescriptorProto_Type.UINT32, label: 1 };
  });
  const file = create(FileDescriptorProtoSchema, {
    name: "wide.proto",
    package: "wide",
    syntax: "proto3",
    messageType: [{ name: "Wide", field }],
  });
  const schema = createFileRegistry(file, () => undefined).getMessage("wide.Wide") as GenMessage<Message>;
  const all = Object.fromEntries(field.map(({ name }) => [name, 7]));
  for (const init of [{}, all, ...field.map(({ name }) => ({ [name]: 9 }))]) {
    const message = create(schema, init);
    assert.deepEqual([...encodeMessage(schema, message)], [...toBinary(schema, message)]);
  }
});
