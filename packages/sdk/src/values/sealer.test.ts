import assert from "node:assert/strict";
import { createDecipheriv, hkdfSync } from "node:crypto";
import { test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import { aesGcm, zstd } from "../codec/index.ts";
import { ConfigError, UnreadableValueError, ValueTooLargeError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Codec, CodecContext, Sealed } from "./codec-port.ts";
import { createSealer } from "./sealer.ts";

const at: CodecContext = { tenantId: "t", instanceId: "i", id: "charge" };
const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
/** Turns the bytes around, and answers at once. */
const mirror: Codec = { name: "mirror", encode: (plain) => plain.toReversed(), decode: (coded) => coded.toReversed() };

/** A promise of another make. */
function thenableOf(value: unknown): never {
  const then = (done: (value: unknown) => void): void => done(value);
  return { then } as never;
}

test("without codecs the text is kept, and nothing is promised", () => {
  const sealer = createSealer();
  assert.ok(sealer.isPlain);
  const sealed = sealer.seal('{"a":1}', at);
  assert.deepEqual(sealed, { is: "plain", text: '{"a":1}' });
  assert.equal(sealer.open(sealed as Sealed, at), '{"a":1}');
});

test("a codec that answers at once is not awaited", () => {
  const sealer = createSealer([mirror]);
  assert.ok(!sealer.isPlain);
  const sealed = sealer.seal('"é"', at) as Sealed;
  assert.ok(sealed.is === "coded" && sealed.enc === "mirror");
  assert.equal(sealer.open(sealed, at), '"é"');
});

test("the first codec writes, all read: keys are rotated by putting a new one in front", async () => {
  const old = createSealer(aesGcm({ k1: key(1) }));
  const both = createSealer(aesGcm({ k2: key(2), k1: key(1) }));
  const text = '{"secret":"word"}';
  const byOld = await old.seal(text, at);
  const byBoth = await both.seal(text, at);
  assert.deepEqual(
    [byOld, byBoth].map((sealed) => sealed.is === "coded" && sealed.enc),
    ["aes-256-gcm:k1", "aes-256-gcm:k2"],
  );
  assert.ok(!Buffer.from((byOld as { data: string }).data, "base64").includes("word"));
  assert.equal(await both.open(byOld, at), text);
  assert.equal(await both.open(byBoth, at), text);
  assert.throws(
    () => old.open(byBoth, at),
    /charge of instance i was written by the codec "aes-256-gcm:k2", which is not among/,
  );
  assert.equal(await both.open({ is: "plain", text }, at), text, "what was written without a codec stays readable");
});

test("aesGcm: equal values at one place have equal bytes, others never; a moved or changed value is unreadable", async () => {
  const sealer = createSealer(aesGcm({ k: key(3) }));
  const data = async (text: string, place = at): Promise<string> => {
    const sealed = await sealer.seal(text, place);
    assert.ok(sealed.is === "coded");
    return sealed.data;
  };
  assert.equal(await data("5"), await data("5"));
  const elsewhere = { ...at, id: "refund" };
  const all = [await data("5"), await data("6"), await data("5", elsewhere), await data("5", { ...at, tenantId: "u" })];
  assert.equal(new Set(all).size, 4);
  assert.equal(new Set(all.map((one) => one.slice(0, 16))).size, 4, "the nonces differ, too");
  const unreadable = (sealed: Sealed, place: CodecContext): Promise<void> =>
    assert.rejects(async () => sealer.open(sealed, place), UnreadableValueError);
  const enc = "aes-256-gcm:k";
  await unreadable({ is: "coded", enc, data: all[0] ?? "" }, elsewhere);
  const bytes = Buffer.from(all[0] ?? "", "base64");
  for (let index = 0; index < bytes.length; index++) {
    const changed = Buffer.from(bytes);
    changed[index] = (changed[index] ?? 0) ^ 1;
    await unreadable({ is: "coded", enc, data: changed.toString("base64") }, at);
  }
  await unreadable({ is: "coded", enc, data: "" }, at);
  assert.throws(() => sealer.open({ is: "coded", enc, data: "%%" }, at), /no base64/);
});

test("aesGcm: what was written is read by later versions, and by others with the key", async () => {
  // Written once and for all: the way to the key and the layout must not change.
  const sealer = createSealer(aesGcm({ k1: key(7) }));
  const stored = "R2CoJAjp0zAA+gMMwvuPjjbiTR9tE0R1aJi7xnKgkyQb5GA=";
  const sealed = await sealer.seal('"first"', at);
  assert.equal(sealed.is === "coded" && sealed.data, stored);
  // Nonce, then ciphertext, then tag, under a key of HKDF-SHA-256.
  const bytes = Buffer.from(stored, "base64");
  const secret = Buffer.from(hkdfSync("sha256", key(7), "", "runtara values", 32));
  const decipher = createDecipheriv("aes-256-gcm", secret, bytes.subarray(0, 12)).setAAD(
    Buffer.from('["t","i","charge"]'),
  );
  decipher.setAuthTag(bytes.subarray(-16));
  assert.equal(`${decipher.update(bytes.subarray(12, -16), undefined, "utf8")}${decipher.final("utf8")}`, '"first"');
});

test("aesGcm: keys and names that can't be used are refused", () => {
  assert.throws(() => aesGcm({}), ConfigError);
  assert.throws(() => aesGcm({ k: key(1).subarray(1) }), /the key k must be a Uint8Array of 32 bytes/);
  assert.throws(() => aesGcm({ 1: key(1) }), /the key name "1" can't be used/);
  assert.throws(() => aesGcm({ 'a"b': key(1) }), ConfigError);
});

test("zstd: long values get shorter, short and random ones stay readable", async () => {
  const sealer = createSealer([zstd()]);
  const long = JSON.stringify("lorem ipsum ".repeat(10_000));
  const sealed = await sealer.seal(long, at);
  assert.ok(sealed.is === "coded" && sealed.enc === "zstd" && sealed.data.length < 1_000);
  assert.equal(await sealer.open(sealed, at), long);
  assert.deepEqual(await sealer.seal('"short"', at), { is: "plain", text: '"short"' });
  const noise = JSON.stringify(Buffer.from(crypto.getRandomValues(new Uint8Array(65_536))).toString("base64"));
  assert.equal((await sealer.seal(noise, at)).is, "plain");
  await assert.rejects(async () => sealer.open({ is: "coded", enc: "zstd", data: "AAAA" }, at), UnreadableValueError);
  const bomb = zstdCompressSync(new Uint8Array(limits.openedBytesMax + 1)).toString("base64");
  await assert.rejects(async () => sealer.open({ is: "coded", enc: "zstd", data: bomb }, at), /can't decode charge/);
});

test("what a codec throws is told with codec and place, and kept", async () => {
  const cause = new Error("no key service");
  const failing = (name: string, fail: () => never | Promise<never>): Codec => ({ name, encode: fail, decode: fail });
  const now = failing("now", () => {
    throw cause;
  });
  const later = failing("later", () => Promise.reject(cause));
  for (const codec of [now, later]) {
    const sealer = createSealer([codec]);
    const isTold = (message: RegExp) => (error: unknown) =>
      error instanceof Error && message.test(error.message) && error.cause === cause;
    await assert.rejects(
      async () => sealer.seal("1", at),
      isTold(/can't encode charge of instance i: Error: no key service/),
    );
    await assert.rejects(
      async () => sealer.open({ is: "coded", enc: codec.name, data: "AAAA" }, at),
      isTold(/can't decode charge/),
    );
  }
  const odd = {
    ...mirror,
    encode: () => "text" as never,
    decode: () => thenableOf(5),
  };
  await assert.rejects(async () => createSealer([odd]).seal("1", at), /TypeError: it gave no Uint8Array/);
  await assert.rejects(
    async () => createSealer([odd]).open({ is: "coded", enc: "mirror", data: "AAAA" }, at),
    /no Uint8Array/,
  );
  const thenable = {
    ...mirror,
    encode: (plain: Uint8Array) => thenableOf(plain.toReversed()),
  };
  assert.equal((await createSealer([thenable]).seal("12", at)).is, "coded", "any thenable will do");
  const broken = createSealer([{ ...mirror, decode: () => Uint8Array.of(255) }]);
  assert.throws(() => broken.open({ is: "coded", enc: "mirror", data: "AAAA" }, at), UnreadableValueError);
});

test("names are unique and plain; a value that a codec makes too long is refused", () => {
  assert.throws(() => createSealer([mirror, mirror]), /two codecs have the name "mirror"/);
  assert.throws(() => createSealer([{ ...mirror, name: 'a"' }]), ConfigError);
  const bloating: Codec = { ...mirror, encode: () => new Uint8Array(limits.valueBytesMax) };
  assert.throws(() => createSealer([bloating]).seal("1", at), ValueTooLargeError);
});
