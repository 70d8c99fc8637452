import { CompensationError, FatalError, StepTimeoutError, UnsupportedError } from "../errors.ts";
import { pick, type Rng } from "../testing/rng.ts";
import { registerClass } from "./classes.ts";

class Money {
  readonly currency: string;
  readonly amount: unknown;
  constructor(currency: string, amount: unknown) {
    this.currency = currency;
    this.amount = amount;
  }
}
registerClass(Money, {
  name: "test/random-money",
  encode: ({ currency, amount }) => [currency, amount] as const,
  decode: ([currency, amount]) => new Money(currency, amount),
});

const pieces = [
  "",
  "a",
  "é",
  "漢",
  "\u{1f600}",
  "\ud800",
  '"',
  "\\",
  "\n",
  "\u0000",
  "\u2028",
  "$rt:",
  '{"$rt:Date":1}',
  '"enc":"',
];
const keys = [
  ...["a", "b", "name", "", "0", "1.5", "odd key", "ключ", "__proto__", "constructor", "toString", "then"],
  ...["$rt", "$rt:", "$rt:Date", "$rt:object", "$rt:null", "$rt:undefined", "$rt:hole", "$ref", "@type", "enc", "data"],
];
const numbers = [0, -0, 1, -1, 1.5, 1e21, 5e-324, Number.MAX_VALUE, Number.MAX_SAFE_INTEGER, 2 ** 53 + 2, Number.NaN];
type ViewClass = new (buffer: ArrayBuffer) => ArrayBufferView;
const viewClasses: readonly ViewClass[] = [
  ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array],
  ...[Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView],
];
const errorClasses = [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError];

const many = (rng: Rng, max: number): number => Math.floor(rng() * (max + 1));

function textOf(rng: Rng): string {
  return Array.from({ length: many(rng, 4) }, () => pick(rng, pieces)).join("");
}

function bytesOf(rng: Rng, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, () => many(rng, 255));
}

function objectOf(rng: Rng, prototype: object | null, depth: number): object {
  const object = Object.create(prototype) as object;
  for (let members = many(rng, 3); members > 0; members--) {
    const value = randomValue(rng, depth - 1);
    const key = pick(rng, keys);
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return object;
}

function listOf(rng: Rng, depth: number): unknown[] {
  const items = Array.from({ length: many(rng, 4) }, () => randomValue(rng, depth - 1));
  if (rng() < 0.1 && items.length > 1) delete items[many(rng, items.length - 1)];
  return items;
}

function errorOf(rng: Rng, depth: number): Error {
  const options = rng() < 0.5 ? { cause: randomValue(rng, depth - 1) } : undefined;
  const message = textOf(rng);
  const made = [
    () => new (pick(rng, errorClasses))(message, options),
    () => new AggregateError([randomValue(rng, depth - 1)], message, options),
    () => new FatalError(message, options),
    () => new StepTimeoutError(message, options),
    () => new UnsupportedError(message, "children", options),
    () => new CompensationError(message, [randomValue(rng, depth - 1)], options),
    () => new DOMException(message, "AbortError"),
  ];
  const error = pick(rng, made)();
  if (rng() < 0.3 && !(error instanceof DOMException)) Object.assign(error, { status: randomValue(rng, depth - 1) });
  return error;
}

const leaves: readonly ((rng: Rng) => unknown)[] = [
  () => null,
  () => undefined,
  (rng) => rng() < 0.5,
  textOf,
  textOf,
  (rng) => pick(rng, numbers),
  (rng) => (rng() - 0.5) * 10 ** many(rng, 30),
  (rng) => many(rng, 1_000_000),
  (rng) => pick(rng, [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]),
  (rng) => BigInt(many(rng, 1e9)) ** BigInt(many(rng, 5)) * (rng() < 0.5 ? 1n : -1n),
  (rng) => new Date(many(rng, 4e12) - 2e12),
  (rng) =>
    Object.assign(new RegExp(pick(rng, ["a+", "\\/", "[^]", "(?:)"]), pick(rng, ["", "gi", "sy"])), {
      lastIndex: many(rng, 3),
    }),
  (rng) =>
    new URL(
      `https://a.example/${encodeURIComponent(textOf(rng).replace(/[\ud800-\udfff]/g, "x"))}?q=${many(rng, 9)}#z`,
    ),
  (rng) =>
    new URLSearchParams([
      ["q", String(many(rng, 99))],
      ["q", "é"],
    ]),
  (rng) => bytesOf(rng, many(rng, 9)).buffer,
  (rng) => Buffer.from(bytesOf(rng, many(rng, 9))),
  (rng) => new (pick<ViewClass>(rng, viewClasses))(bytesOf(rng, 8 * many(rng, 3)).buffer),
];

const containers: readonly ((rng: Rng, depth: number) => unknown)[] = [
  listOf,
  listOf,
  (rng, depth) => objectOf(rng, Object.prototype, depth),
  (rng, depth) => objectOf(rng, Object.prototype, depth),
  (rng, depth) => objectOf(rng, null, depth),
  (rng, depth) =>
    new Map(Array.from({ length: many(rng, 3) }, () => [randomValue(rng, depth - 1), randomValue(rng, depth - 1)])),
  (rng, depth) => new Set(Array.from({ length: many(rng, 3) }, () => randomValue(rng, depth - 1))),
  (rng, depth) => new Money(textOf(rng), randomValue(rng, depth - 1)),
  errorOf,
];

/** A value of any kind that can be stored, with hostile keys and texts. */
export function randomValue(rng: Rng, depth = 4): unknown {
  return depth <= 0 || rng() < 0.4 ? pick(rng, leaves)(rng) : pick(rng, containers)(rng, depth);
}
