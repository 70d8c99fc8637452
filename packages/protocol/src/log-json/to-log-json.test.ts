import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { create, fromBinary, ScalarType } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { RegisterImageRequestSchema, StartInstanceRequestSchema } from "../gen/runtara/environment/environment_pb.ts";
import {
  CheckpointRequestSchema,
  GetInstanceStatusResponseSchema,
  InstanceEventSchema,
  InstanceEventType,
  RegisterInstanceRequestSchema,
  RpcRequestSchema,
  SleepRequestSchema,
  WaitSignalsRequestSchema,
} from "../gen/runtara/instance/instance_pb.ts";
import { limits } from "../limits.ts";
import { anyMessage, schemas, seed } from "../testing/messages.ts";
import { visibilityOf } from "./secrets.ts";
import { toLogJson } from "./to-log-json.ts";

before(() => console.log(`SEED=${seed}`));

const bytes = (text: string): Uint8Array => Buffer.from(text);

test("a call: names, masked payload, 64-bit numbers as texts, enums by name", () => {
  const value = create(InstanceEventSchema, {
    instanceId: "order-7",
    eventType: InstanceEventType.EVENT_COMPLETED,
    payload: bytes("secret"),
    timestampMs: 9_007_199_254_740_993n,
    epoch: 0n,
  });
  const call = create(RpcRequestSchema, { request: { case: "instanceEvent", value } });
  assert.deepEqual(toLogJson(call), {
    $type: "runtara.instance.RpcRequest",
    instanceEvent: {
      instanceId: "order-7",
      eventType: "EVENT_COMPLETED",
      payload: "[6 bytes]",
      timestampMs: "9007199254740993",
      epoch: "0",
    },
  });
});

test("what is shown, and what is not", () => {
  const start = create(StartInstanceRequestSchema, {
    imageId: "img",
    input: bytes("{}"),
    env: { PASSWORD: "hunter2", __proto__: "x" },
  });
  Object.defineProperty(start.env, "__proto__", { value: "hunter3", enumerable: true });
  assert.equal(
    JSON.stringify(toLogJson(start)),
    '{"$type":"runtara.environment.StartInstanceRequest","imageId":"img","input":"[2 bytes]",' +
      '"env":{"PASSWORD":"[masked]","__proto__":"[masked]"}}',
  );
  const image = create(RegisterImageRequestSchema, { name: "n", binary: Buffer.from("7f454c4602010100ff", "hex") });
  assert.deepEqual(toLogJson(image), {
    $type: "runtara.environment.RegisterImageRequest",
    name: "n",
    binary: "[9 bytes 7f454c4602010100…]",
    runnerType: "RUNNER_OCI",
  });
  const register = create(RegisterInstanceRequestSchema, { token: "t0ken", checkpointId: "", wantsStartFacts: true });
  assert.deepEqual(toLogJson(register), {
    $type: "runtara.instance.RegisterInstanceRequest",
    checkpointId: "",
    wantsStartFacts: true,
    token: "[masked]",
  });
});

test("long texts and lists are cut, unknown enums are numbers, unknown fields are counted", () => {
  const sleep = create(SleepRequestSchema, { instanceId: "i".repeat(1_000), durationMs: 5n });
  assert.deepEqual(toLogJson(sleep, { textCharactersMax: 3 }), {
    $type: "runtara.instance.SleepRequest",
    instanceId: "iii…1000",
    durationMs: "5",
  });
  const interests = Array.from({ length: 5 }, () => ({ names: ["a", "b", "c"] }));
  assert.deepEqual(toLogJson(create(WaitSignalsRequestSchema, { interests }), { itemsMax: 2 }), {
    $type: "runtara.instance.WaitSignalsRequest",
    interests: [{ names: ["a", "b", "…1"] }, { names: ["a", "b", "…1"] }, "…3"],
  });
  const odd = fromBinary(GetInstanceStatusResponseSchema, Buffer.from("1063b03e01b83e02", "hex"));
  const { $unknown, status } = toLogJson(odd) as { $unknown: number; status: number };
  assert.deepEqual([$unknown, status], [2, 99]);
});

/** Replaces every masked value by another of the same length; bytes that are shown in part keep that part. */
function withOtherSecrets(schema: DescMessage, message: Message): Message {
  const fields = { ...message } as unknown as Record<string, unknown>;
  for (const member of schema.members) {
    if (member.kind === "oneof") {
      const set = fields[member.localName] as { case?: string; value?: unknown };
      const field = member.fields.find(({ localName }) => localName === set.case);
      if (field) fields[member.localName] = { case: set.case, value: otherValue(field, set.value) };
    } else if (fields[member.localName] !== undefined) {
      fields[member.localName] = otherValue(member, fields[member.localName]);
    }
  }
  return fields as unknown as Message;
}

function otherValue(field: DescField, value: unknown): unknown {
  const { message } = field;
  if (message && Array.isArray(value)) return value.map((one) => withOtherSecrets(message, one as Message));
  if (message) return withOtherSecrets(message, value as Message);
  const visibility = visibilityOf(field);
  if (visibility === "shown") return value;
  if (value instanceof Uint8Array) {
    const kept = visibility === "prefix" ? limits.logJson.prefixBytes : 0;
    return value.map((byte, i) => (i < kept ? byte : byte ^ 0xa5));
  }
  if (typeof value === "string") return "another secret";
  return Object.fromEntries(Object.keys(value as object).map((key) => [key, "another secret"]));
}

describe("no byte of a secret field appears: another secret gives the same line", () => {
  for (const schema of schemas) {
    test(schema.typeName, () => {
      fc.assert(
        fc.property(anyMessage(schema), (message) => {
          const line = JSON.stringify(toLogJson(message));
          assert.equal(JSON.stringify(toLogJson(withOtherSecrets(schema, message))), line);
        }),
        { seed, numRuns: 50 },
      );
    });
  }
});

test("every field of bytes is masked but those of images, and so is every text that authenticates", () => {
  const fields = schemas.flatMap((schema) => schema.fields);
  for (const field of fields) {
    const visibility = visibilityOf(field);
    if (field.scalar === ScalarType.BYTES) assert.notEqual(visibility, "shown", field.toString());
    if (/^(token|secret|password|env)$/.test(field.name)) assert.equal(visibility, "masked", field.toString());
    if (visibility === "prefix") assert.equal(field.name, "binary", field.toString());
  }
});

test("the line is never longer than asked for", () => {
  for (const schema of schemas) {
    fc.assert(
      fc.property(anyMessage(schema), fc.integer({ min: 64, max: 2_000 }), (message, charactersMax) => {
        const { length } = JSON.stringify(toLogJson(message, { charactersMax }));
        assert.ok(length <= charactersMax, `${length} of ${charactersMax}`);
      }),
      { seed, numRuns: 30 },
    );
  }
  const escapes = create(CheckpointRequestSchema, { instanceId: "\u0001".repeat(100_000) });
  assert.ok(JSON.stringify(toLogJson(escapes, { textCharactersMax: 100_000 })).length <= 4_096);
});

test("never throws: wrong types, foreign messages, loops, getters that throw", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...schemas),
      fc.dictionary(fc.string(), fc.anything()),
      fc.anything(),
      (schema, object, any) => {
        const values = Object.fromEntries(schema.members.map(({ localName }) => [localName, any]));
        const message = { ...object, ...values, $typeName: schema.typeName } as unknown as Message;
        assert.ok(JSON.stringify(toLogJson(message)).length <= 4_096);
      },
    ),
    { seed, numRuns: 300 },
  );
  const unreadable = { $unreadable: true };
  for (const value of [undefined, null, 5, "x", {}, { $typeName: "google.protobuf.Any" }, { $typeName: 7 }]) {
    assert.deepEqual(toLogJson(value as unknown as Message), unreadable);
  }
  const loop: Record<string, unknown> = { $typeName: "runtara.instance.ManagementRequest" };
  loop["call"] = { request: { case: "startWorkflow", value: loop } };
  assert.ok(JSON.stringify(toLogJson(loop as unknown as Message)).length <= 4_096);
  const trap = { $typeName: CheckpointRequestSchema.typeName };
  Object.defineProperty(trap, "state", {
    get() {
      throw new Error("no");
    },
  });
  assert.deepEqual(toLogJson(trap as Message), unreadable);
});
