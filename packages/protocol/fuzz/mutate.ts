import type { Random } from "./random.ts";

const inputBytesMax = 4_096;

/** Bytes at which decoders branch: varint and length edges, tags with each wire type, UTF-8 leads, group ends. */
const edges = [0, 1, 2, 7, 8, 10, 11, 12, 13, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xed, 0xef, 0xf4, 0xff];
const varints = [
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0x80, 0x80, 0x80, 0x80, 0x10],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
  [0x80, 0x00],
];

type Mutation = (input: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

const mutations: readonly Mutation[] = [
  function flipBit(input, random) {
    return changed(input, random, (byte) => byte ^ (1 << random(8)));
  },
  function setEdge(input, random) {
    return changed(input, random, () => edges[random(edges.length)] ?? 0);
  },
  function setAny(input, random) {
    return changed(input, random, () => random(256));
  },
  /** Lengths that are off by a little. */
  function nudge(input, random) {
    return changed(input, random, (byte) => byte + random(5) - 2);
  },
  function insertVarint(input, random) {
    const at = random(input.length + 1);
    return joined(input.subarray(0, at), Uint8Array.from(varints[random(varints.length)] ?? []), input.subarray(at));
  },
  function insertAny(input, random) {
    const at = random(input.length + 1);
    const bytes = Uint8Array.from({ length: 1 + random(4) }, () => random(256));
    return joined(input.subarray(0, at), bytes, input.subarray(at));
  },
  function remove(input, random) {
    const from = random(input.length + 1);
    return joined(input.subarray(0, from), input.subarray(from + 1 + random(8)));
  },
  function cut(input, random) {
    return input.slice(0, random(input.length + 1));
  },
  function repeat(input, random) {
    const from = random(input.length + 1);
    const part = input.subarray(from, from + 1 + random(32));
    return joined(input.subarray(0, from), ...Array.from({ length: 1 + random(8) }, () => part), input.subarray(from));
  },
  function splice(input, random, other) {
    return joined(input.subarray(0, random(input.length + 1)), other.subarray(random(other.length + 1)));
  },
  /** The tail becomes a nested message of some field, its length right: the way to depth. */
  function nest(input, random) {
    const at = random(input.length + 1);
    const length = Math.min(input.length - at, 0x7f);
    const tag = (1 + random(15)) * 8 + 2;
    return joined(input.subarray(0, at), Uint8Array.of(tag, length), input.subarray(at));
  },
];

/** `input` after one to four changes; never `input` itself, at most 4 KiB. */
export function mutate(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let bytes = input.slice();
  for (let count = 1 + random(4); count > 0; count--) {
    const mutation = mutations[random(mutations.length)];
    if (mutation) bytes = Uint8Array.from(mutation(bytes, random, other).subarray(0, inputBytesMax));
  }
  return bytes;
}

function changed(input: Uint8Array, random: Random, change: (byte: number) => number): Uint8Array {
  if (input.length > 0) {
    const at = random(input.length);
    input[at] = change(input[at] ?? 0);
  }
  return input;
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}
