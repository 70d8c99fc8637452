import assert from "node:assert/strict";
import { test } from "node:test";
import { environmentProtocol } from "./environment/protocol.ts";
import { Features, featureArms, featureNames, features, isFeatureName, requireFeature } from "./features.ts";
import { instanceProtocol } from "./instance/protocol.ts";
import { managementProtocol } from "./management/protocol.ts";
import { files } from "./testing/messages.ts";

const isExtension = ({ number }: { number: number }): boolean => number >= 100 && number <= 199;

test("every extension of a message or enum of 1.4.1 belongs to one feature, and no feature names anything else", () => {
  const listed = Object.values(features).flatMap(({ fields }) => fields.map((name) => `runtara.${name}`));
  const actual = files.flatMap((file) => [
    ...file.messages
      .filter(({ name, fields }) => !/^Rpc(Request|Response)$/.test(name) && !fields.every(isExtension))
      .flatMap(({ typeName, fields }) => fields.filter(isExtension).map(({ name }) => `${typeName}.${name}`)),
    ...file.enums.flatMap(({ typeName, values }) =>
      values.filter(isExtension).map(({ name }) => `${typeName}.${name}`),
    ),
  ]);
  assert.deepEqual(listed.sort(), actual.sort());
});

test("every extension arm belongs to one feature of its protocol, and every request arm has its answer", () => {
  for (const { name, requestSchema, responseSchema, extensions } of [
    instanceProtocol,
    environmentProtocol,
    managementProtocol,
  ]) {
    const arms = requestSchema.fields.filter(isExtension);
    const listed = Object.values(featureArms[name as keyof typeof featureArms]).flat();
    assert.deepEqual(listed.sort(), arms.map(({ localName }) => localName).sort());
    assert.deepEqual([...extensions.keys()].sort(), listed.sort());
    for (const arm of arms) {
      const answer = responseSchema.fields.find(({ number }) => number === arm.number);
      assert.equal(answer?.name, arm.name);
    }
  }
});

test("every feature with calls is a known feature, and every feature covers something", () => {
  const withArms = new Set(Object.values(featureArms).flatMap((arms) => Object.keys(arms)));
  for (const name of withArms) assert.ok(isFeatureName(name), name);
  for (const name of featureNames) assert.ok(withArms.has(name) || features[name].fields.length > 0, name);
  assert.equal(isFeatureName("toString"), false);
});

test("what a server announces is kept, known or not; nothing announced is the base protocol", () => {
  const served = new Features(["epoch", "from-the-future"]);
  assert.deepEqual([...served.names], ["epoch", "from-the-future"]);
  assert.deepEqual([served.has("epoch"), served.has("watch"), new Features().has("epoch")], [true, false, false]);
});

test("requireFeature names the feature and the remedy", () => {
  requireFeature(new Features(["watch"]), "watch");
  const base = {
    code: "UNSUPPORTED",
    message:
      'the server does not serve the feature "watch" (it announces the base protocol alone); use a server that does, ' +
      "or ask get_instance_status or list_instances again and again",
  };
  assert.throws(() => requireFeature(new Features(), "watch"), base);
  assert.throws(() => requireFeature(new Features(["epoch"]), "watch"), { message: /\(it announces others\)/ });
});
