import assert from "node:assert/strict";
import { test } from "node:test";
import { aesGcm } from "../codec/index.ts";
import { UnreadableValueError, UnstorableValueError } from "../errors.ts";
import { createSealer } from "./sealer.ts";
import { createWrapper } from "./wrapper.ts";

const at = { tenantId: "t", instanceId: "i", id: "!input" };
const plain = createWrapper(createSealer());
const coded = createWrapper(createSealer(aesGcm({ k: new Uint8Array(32).fill(1) })));
const text = (bytes: unknown): string => new TextDecoder().decode(bytes as Uint8Array);
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

test("plain values are their stored text; undefined is no bytes", () => {
  assert.equal(text(plain.wrap({ a: 1n }, at, "x")), '{"a":{"$rt:bigint":"1"}}');
  assert.equal(plain.wrap(undefined, at, "x"), undefined);
  assert.equal(plain.wrapText(undefined, at), undefined);
  assert.deepEqual(plain.unwrap(bytes('{"a":{"$rt:bigint":"1"}}'), at), { a: 1n });
  for (const none of [undefined, null, new Uint8Array(0)]) assert.equal(plain.unwrap(none, at), undefined);
});

test("what is no JSON in UTF-8 comes as bytes, and a tag that can't be read is an error", () => {
  for (const foreign of [bytes("hello"), Uint8Array.of(255, 254), bytes('{"$rt":1,"enc":"'), bytes("\ufeff1")]) {
    assert.equal(plain.unwrap(foreign, at), foreign);
    assert.equal(plain.unwrapText(foreign, at), undefined);
  }
  assert.throws(() => plain.unwrap(bytes('{"$rt:Quux":1}'), at), UnreadableValueError);
});

test("a value that looks like a wrapped one comes back as it was", async () => {
  const hostile: unknown[] = [
    { $rt: 1, enc: "aes-256-gcm:k", data: "AAAA" },
    { $rt: 1, enc: "", data: { $rt: 1, enc: "", data: 12n } },
    { $rt: 1, enc: "x" },
  ];
  for (const wrapper of [plain, coded]) {
    for (const value of hostile) {
      assert.deepEqual(await wrapper.unwrap(await wrapper.wrap(value, at, "x"), at), value);
    }
  }
  assert.throws(() => plain.unwrap(bytes('{"$rt":1,"enc":"x","data":5}'), at), UnreadableValueError);
});

test("the input of a schedule is read by its instances, and by no others", async () => {
  const written = await coded.wrap("nightly input", { tenantId: "t", instanceId: "nightly", id: "!schedule" }, "x");
  const read = async (place: { instanceId: string; id: string }): Promise<unknown> =>
    coded.unwrap(written, { tenantId: "t", ...place });
  assert.equal(await read({ instanceId: "nightly", id: "!schedule" }), "nightly input");
  assert.equal(await read({ instanceId: "nightly-2026-11-22T03:00:00Z", id: "!input" }), "nightly input");
  for (const place of [
    { instanceId: "weekly-2026-11-22T03:00:00Z", id: "!input" },
    { instanceId: "nightly-2026-11-22T03:00:00Z", id: "!output" },
    { instanceId: "nightly", id: "!input" },
  ]) {
    await assert.rejects(read(place), UnreadableValueError, JSON.stringify(place));
  }
});

test("a refusal says whose value it is, with the path in words of the place", () => {
  const refused = (id: string, message: RegExp): void =>
    assert.throws(
      () => plain.wrap({ go: () => {} }, { ...at, id }, `${id} has`),
      (error) => error instanceof UnstorableValueError && message.test(error.message),
    );
  refused("!input", /^!input has a value that can't be stored: input\.go is a function/);
  refused("!output", /: output\.go is/);
  refused("!failure", /: error\.go is/);
  refused("!signal:a", /: payload\.go is/);
  refused("!published:a", /: value\.go is/);
});
