import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  decode,
  encode,
  registerClass,
  UnreadableValueError,
  UnstorableValueError,
  ValueTooLargeError,
} from "../codec/index.ts";
import { CancelledError, FatalError, isRuntaraError, StepTimeoutError } from "../errors.ts";
import { limits } from "../limits.ts";
import { littleEndian } from "./builtins.ts";

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000_000);
const runs = { seed, numRuns: Number(process.env.RUNS ?? 500) };

function roundTrip(value: unknown): unknown {
  return decode(encode(value));
}

/** Deep-equal, with the same prototypes, and -0 told from 0. */
function assertRoundTrip(value: unknown): void {
  assert.deepStrictEqual(roundTrip(value), value);
}

class Money {
  readonly currency: string;
  readonly cents: number;
  constructor(currency: string, cents: number) {
    this.currency = currency;
    this.cents = cents;
  }
}
class Euro extends Money {
  constructor(cents: number) {
    super("EUR", cents);
  }
}
class PaymentError extends Error {
  override readonly name = "PaymentError";
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}
registerClass(Money, {
  name: "test/money",
  encode: ({ currency, cents }) => [currency, cents] as const,
  decode: ([currency, cents]) => new Money(currency, cents),
});

test("plain JSON is stored as exactly that", () => {
  for (const text of [
    '{"a":[1,"x",null,true,{"$ref":1,"@type":"t","$date":2}]}',
    "[]",
    '"x"',
    "0",
    "null",
    '{"__proto__":1}',
  ]) {
    assert.equal(encode(JSON.parse(text)), text);
    assert.equal(encode(decode(text)), text);
  }
});

test("every row of the table is stored as documented, and comes back", () => {
  const rows: [unknown, string][] = [
    [undefined, '{"$rt:undefined":0}'],
    [Number.NaN, '{"$rt:number":"NaN"}'],
    [Number.NEGATIVE_INFINITY, '{"$rt:number":"-Infinity"}'],
    [-0, '{"$rt:number":"-0"}'],
    [12n, '{"$rt:bigint":"12"}'],
    [new Date("2026-11-21T10:00:00Z"), '{"$rt:Date":"2026-11-21T10:00:00.000Z"}'],
    [new Map([["k", new Set([1n])]]), '{"$rt:Map":[["k",{"$rt:Set":[{"$rt:bigint":"1"}]}]]}'],
    [new URL("https://a.example/x?y#z"), '{"$rt:URL":"https://a.example/x?y#z"}'],
    [new URLSearchParams("a=1&a=2"), '{"$rt:URLSearchParams":"a=1&a=2"}'],
    [/a+/gi, '{"$rt:RegExp":["a+","gi",0]}'],
    [new Float64Array([1.5]), '{"$rt:Float64Array":"AAAAAAAA+D8="}'],
    [new Uint8Array([1, 2]).buffer, '{"$rt:ArrayBuffer":"AQI="}'],
    [Buffer.from("hi"), '{"$rt:Buffer":"aGk="}'],
    [{ "$rt:Date": 5 }, '{"$rt:object":[["$rt:Date",5]]}'],
    [Object.assign(Object.create(null), { a: 1 }), '{"$rt:null":{"a":1}}'],
    [new Money("EUR", 1250), '{"$rt:class":["test/money",["EUR",1250]]}'],
    [{ a: undefined }, '{"a":{"$rt:undefined":0}}'],
  ];
  for (const [value, text] of rows) {
    assert.equal(encode(value), text);
    assertRoundTrip(value);
  }
  // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested
  const holes = [1, , undefined, 3];
  assert.equal(encode(holes), '[1,{"$rt:hole":0},{"$rt:undefined":0},3]');
  const back = roundTrip(holes) as unknown[];
  assert.deepEqual([1 in back, 2 in back, back.length], [false, true, 4]);
  const invalid = roundTrip(new Date(Number.NaN)) as Date;
  assert.ok(Number.isNaN(invalid.getTime()));
  const pattern = roundTrip(Object.assign(/x/y, { lastIndex: 3 })) as RegExp;
  assert.equal(pattern.lastIndex, 3);
});

test("every typed array and view comes back with its class, its bytes and a buffer of its own", () => {
  const bytes = Uint8Array.from({ length: 32 }, (_, index) => index * 7);
  for (const View of [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ]) {
    const view = new View(bytes.buffer, 8, 1);
    const back = roundTrip(view) as InstanceType<typeof View>;
    assert.deepStrictEqual(back, view);
    assert.equal(back.buffer.byteLength, view.byteLength);
  }
  const view = roundTrip(new DataView(bytes.buffer, 3, 5)) as DataView;
  assert.deepEqual([view.byteLength, view.getUint8(0)], [5, 21]);
  const swapped = littleEndian(Uint8Array.of(1, 2, 3, 4), 2, false);
  assert.deepEqual([...swapped], [2, 1, 4, 3], "on a big-endian machine items are turned around");
});

test("random values come back deep-equal with the same prototypes", () => {
  const hostileKey = fc.constantFrom(
    "__proto__",
    "constructor",
    "$rt:Date",
    "$rt:object",
    "$rt:null",
    "$rt:undefined",
    "$rt:",
    "toString",
    "",
  );
  const key = fc.oneof({ weight: 3, arbitrary: fc.string() }, hostileKey);
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.double(),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.constant(undefined),
        fc.bigInt(),
      ),
      fc.oneof(fc.date({ noInvalidDate: true }), fc.uint8Array(), fc.float64Array({ noNaN: true }), fc.bigInt64Array()),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.array(fc.tuple(key, tie("value")), { maxLength: 3 }).map(objectOf),
      fc
        .array(fc.tuple(key, tie("value")), { maxLength: 3 })
        .map((pairs) => Object.assign(Object.create(null), objectOf(pairs))),
      fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 3 }).map((pairs) => new Map(pairs)),
      fc.array(tie("value"), { maxLength: 3 }).map((items) => new Set(items)),
      fc.tuple(fc.string(), fc.integer()).map(([currency, cents]) => new Money(currency, cents)),
    ),
  }));
  fc.assert(
    fc.property(value, (original) => {
      assertRoundTrip(original);
      assert.equal(encode(roundTrip(original)), encode(original), "the text is the same again");
    }),
    runs,
  );
});

function objectOf(pairs: readonly (readonly [string, unknown])[]): object {
  const object = {};
  for (const [key, value] of pairs) {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return object;
}

test("random JSON is JSON, whatever its keys", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepStrictEqual(roundTrip(value), value);
    }),
    runs,
  );
});

test("a __proto__ member is data and pollutes nothing", () => {
  const hostile = JSON.parse('{"__proto__":{"isAdmin":true},"x":{"$rt:Date":"2026-01-01T00:00:00.000Z"}}') as object;
  const back = decode(encode({ hostile, date: new Date(0) })) as { hostile: { isAdmin?: boolean } };
  assert.ok(Object.hasOwn(back.hostile, "__proto__"));
  assert.equal(back.hostile.isAdmin, undefined);
  assert.equal(({} as { isAdmin?: boolean }).isAdmin, undefined);
});

test("errors keep class, message, stack, cause, errors and storable members", () => {
  const cause = new RangeError("deep");
  const error = Object.assign(new TypeError("outer", { cause }), { status: 502, socket: () => {}, at: new Date(7) });
  const back = roundTrip(error) as typeof error;
  assert.ok(back instanceof TypeError && back.cause instanceof RangeError);
  assert.deepEqual([back.message, back.stack, back.status, back.at], ["outer", error.stack, 502, error.at]);
  assert.ok(!("socket" in back), "what can't be stored is left out");
  assert.deepEqual(Object.keys(back), ["status", "at"]);

  const aggregate = roundTrip(new AggregateError([new SyntaxError("a"), "b"], "all")) as AggregateError;
  assert.ok(aggregate instanceof AggregateError && aggregate.errors[0] instanceof SyntaxError);
  assert.equal(aggregate.errors[1], "b");

  // An unregistered class comes back as Error.
  const payment = roundTrip(new PaymentError("declined", 402)) as PaymentError;
  assert.deepEqual(
    [Object.getPrototypeOf(payment), payment.name, payment.status],
    [Error.prototype, "PaymentError", 402],
  );

  const abort = roundTrip(AbortSignal.abort().reason) as DOMException;
  assert.ok(abort instanceof DOMException);
  assert.deepEqual([abort.name, abort.code], ["AbortError", 20]);
  const lookalike = roundTrip(Object.assign(new Error("x"), { name: "AbortError", code: "ABORT_ERR" })) as Error;
  assert.ok(!(lookalike instanceof DOMException));

  const looping = new Error("loop");
  looping.cause = looping;
  assert.equal((roundTrip(looping) as Error).cause, undefined);
});

test("errors of this package come back as themselves", () => {
  for (const error of [new FatalError("f", { cause: 1 }), new StepTimeoutError("t"), new CancelledError("c")]) {
    const back = roundTrip(error) as typeof error;
    assert.equal(Object.getPrototypeOf(back), Object.getPrototypeOf(error));
    assert.deepStrictEqual(
      [back.code, back.name, back.message, back.cause, back.retryable],
      [error.code, error.name, error.message, error.cause, error.retryable],
    );
    assert.ok(isRuntaraError(back, error.code));
  }
});

test("what can't be stored is refused with the path and the reason", () => {
  const cyclic: { items: unknown[] } = { items: [1] };
  cyclic.items.push({ up: cyclic.items });
  const refused: [unknown, RegExp][] = [
    [{ a: [1, { go: () => {} }] }, /value\.a\[1\]\.go is a function/],
    [{ a: Symbol("s") }, /value\.a is a symbol/],
    [[Promise.resolve(1)], /value\[0\] is a promise \(missing await\?\)/],
    [{ x: new Euro(5) }, /value\.x is a Euro, a class that is not registered/],
    [new WeakMap(), /value is a WeakMap/],
    [{ "odd key": Object(1) }, /value\["odd key"\] is a boxed Number/],
    [{ r: new Response("x") }, /value\.r is a Response/],
    [new ReadableStream(), /value is a ReadableStream, a stream/],
    [{ [Symbol.iterator]: 1 }, /value has a symbol key/],
    [
      {
        get a() {
          return 1;
        },
      },
      /value\.a is a getter or setter/,
    ],
    [new Map([["k", () => {}]]), /value\.get\("k"\) is a function/],
    [cyclic, /value\.items\[1\]\.up is the same object as the one at \.items: a cycle/],
    [Object.assign([1], { extra: 2 }), /value is an array with a member beside its items \(extra\)/],
    [Object.assign(new Date(0), { extra: 2 }), /value is a Date with members of its own \(extra\)/],
    [new SharedArrayBuffer(1), /value is a SharedArrayBuffer/],
  ];
  for (const [value, message] of refused) {
    assert.throws(
      () => encode(value),
      (error) => error instanceof UnstorableValueError && message.test(error.message),
      String(message),
    );
  }
});

test("depth and size are bounded", () => {
  const nest = (depth: number): unknown => {
    let value: unknown = 1;
    for (let level = 0; level < depth; level++) value = [value];
    return value;
  };
  assertRoundTrip(nest(limits.valueDepthMax));
  assert.throws(() => encode(nest(limits.valueDepthMax + 1)), /lies deeper than 500 levels/);
  assert.throws(
    () => encode("x".repeat(limits.valueBytesMax)),
    (error) => error instanceof ValueTooLargeError && /64 MiB/.test(error.message),
  );
  assert.throws(() => encode([1n, "é".repeat(limits.valueBytesMax / 2)]), ValueTooLargeError);
  // Each of these would outgrow the longest string of JavaScript while it is written.
  const bytes = new Uint8Array(limits.valueBytesMax);
  for (const value of [
    Array(12).fill(bytes),
    Array(12).fill(bytes.buffer),
    Array(12).fill(Buffer.from(bytes.buffer)),
  ]) {
    assert.throws(() => encode(value), ValueTooLargeError);
  }
  const url = new URL(`https://a.example/${"x".repeat(1 << 20)}`);
  assert.throws(() => encode(Array(600).fill(url)), ValueTooLargeError);
  assert.throws(() => encode(Array(600).fill(new Error("x".repeat(1 << 20)))), ValueTooLargeError);
  let shared = new Error("x".repeat(10_000));
  for (let level = 0; level < 60; level++) shared = new AggregateError([shared], shared.message, { cause: shared });
  assert.throws(() => encode([shared]), ValueTooLargeError, "nor can errors that are shared");
  const withBytes = roundTrip(Object.assign(new Error("kept"), { bytes, at: 1 })) as Error & { at?: number };
  assert.deepEqual([withBytes.message, withBytes.at, "bytes" in withBytes], ["kept", 1, false]);
  let doubling: unknown = [1n, "x".repeat(10_000)];
  for (let level = 0; level < 60; level++) doubling = [doubling, doubling];
  assert.throws(() => encode(doubling), ValueTooLargeError, "shared references can't make endless work");
});

test("bytes of some megabytes are read again", () => {
  const bytes = Buffer.alloc(12 << 20, 7);
  assert.ok(bytes.equals(roundTrip(bytes) as Buffer));
  for (const text of ["AA", "AAAA=", "A===", "AA=A", "====", "AAAA====", "A*==", "AA==AAAA", "AA= "]) {
    assert.throws(() => decode(`{"$rt:Buffer":"${text}"}`), UnreadableValueError, text);
  }
});

test("what code of others throws while a value is written is a refusal with the path, and leaves an error what else it has", () => {
  class Rate {
    readonly rate = 1;
  }
  const cause = new TypeError("no rate");
  registerClass(Rate, {
    name: "test/rate",
    encode: (): number => {
      throw cause;
    },
    decode: () => new Rate(),
  });
  const isRefusal = (message: RegExp) => (error: unknown) =>
    error instanceof UnstorableValueError && message.test(error.message);
  assert.throws(
    () => encode({ rates: [new Rate()] }),
    (error) =>
      isRefusal(/value\.rates\[0\] is a Rate that could not be written: TypeError: no rate/)(error) &&
      (error as Error).cause === cause,
  );
  const detached = new ArrayBuffer(8);
  structuredClone(detached, { transfer: [detached] });
  assert.throws(() => encode({ detached }), isRefusal(/value\.detached is a ArrayBuffer that could not be written/));
  assert.throws(() => encode(Object.assign(/x/, { lastIndex: "1" })), isRefusal(/whose lastIndex is no number/));
  const odd = Object.assign(new Error("kept"), { name: Object.create(null), rate: new Rate(), at: 1 });
  const back = roundTrip(odd) as typeof odd;
  assert.deepEqual([back.message, back.at, "rate" in back], ["kept", 1, false]);
});

test("text that can't be read is an error, never a guess", () => {
  const unreadable: [string, RegExp][] = [
    ["{", /is not JSON/],
    ['{"$rt:Quux":1}', /unknown tag "\$rt:Quux"/],
    ['{"$rt:class":["nobody",1]}', /the class "nobody", which is not registered/],
    ['{"$rt:Date":5}', /is not of that tag's form/],
    ['{"$rt:Date":"yesterday"}', /is not of that tag's form/],
    ['{"$rt:bigint":"1.5"}', /is not of that tag's form/],
    ['{"$rt:Map":[[1]]}', /is not of that tag's form/],
    ['{"$rt:Uint16Array":"AQ=="}', /is not of that tag's form/],
    ['{"$rt:Buffer":"%%%"}', /is not of that tag's form/],
    ['{"$rt:RegExp":["(","",0]}', /is not of that tag's form/],
    ['{"$rt:Error":{"name":1}}', /is not of that tag's form/],
    ['{"$rt:null":1}', /is not of that tag's form/],
    ['{"$rt:object":{}}', /is not of that tag's form/],
    ['{"a":{"$rt:hole":0}}', /a hole outside an array/],
    [`${"[".repeat(5_000)}{"$rt:undefined":0}${"]".repeat(5_000)}`, /nested deeper/],
  ];
  for (const [text, message] of unreadable) {
    assert.throws(
      () => decode(text),
      (error) => error instanceof UnreadableValueError && message.test(error.message),
      text.slice(0, 40),
    );
  }
  assert.equal(decode(new TextEncoder().encode('"é"')), "é");
  assert.throws(() => decode(Uint8Array.of(0x22, 0xff, 0x22)), /not UTF-8/);
});

test("text with the letters of a tag in a string is a string", () => {
  assertRoundTrip({ text: '{"$rt:Date":"x"}', list: ['"$rt:', "$rt:Date"] });
});

test("one class name belongs to one class", () => {
  class Other {
    readonly isOther = true;
  }
  assert.throws(
    () => registerClass(Other, { name: "test/money", encode: () => 1, decode: () => new Other() }),
    /belongs to another class/,
  );
});
