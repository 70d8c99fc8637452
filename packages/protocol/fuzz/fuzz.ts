import { Coverage } from "./coverage.ts";
import { mutate } from "./mutate.ts";
import { seededRandom } from "./random.ts";

export interface FuzzOptions {
  readonly seed: number;
  /** Ends after so many inputs, or after so long, whichever is first. */
  readonly runs?: number;
  readonly seconds?: number;
  /** Inputs to begin with. */
  readonly seeds: readonly Uint8Array[];
  /** Whose coverage counts: a part of the sources' URLs. */
  readonly folder: string;
}

export interface FuzzResult {
  readonly runs: number;
  readonly blocks: number;
  /** The given inputs and those that reached something new. */
  readonly corpus: readonly Uint8Array[];
  /** The first input that made the target throw, made as small as a few thousand tries make it. */
  readonly crash?: { readonly input: Uint8Array; readonly error: unknown };
}

const inputsPerLook = 256;
const shrinkTriesMax = 5_000;

/**
 * Mutates known inputs and keeps those that reach new code, until `target` throws or the time is up. The seed repeats
 * the choices; what V8 reports as reached depends on what it has compiled, so a crash is kept as its bytes.
 */
export function fuzz(target: (input: Uint8Array) => void, options: FuzzOptions): FuzzResult {
  using coverage = new Coverage(options.folder);
  const random = seededRandom(options.seed);
  const corpus: Uint8Array[] = [];
  const deadline = performance.now() + (options.seconds ?? Number.POSITIVE_INFINITY) * 1_000;
  const runsMax = options.runs ?? Number.POSITIVE_INFINITY;
  let runs = 0;
  const crashed = (input: Uint8Array): boolean => {
    runs++;
    return errorOf(target, input) !== undefined;
  };
  const ended = (crash?: Uint8Array): FuzzResult => {
    const found = crash && shrink(target, crash);
    return { runs, blocks: coverage.blocks, corpus, ...(found ? { crash: found } : {}) };
  };

  // All of them: code that is driven by tables runs the same blocks for every field.
  for (const input of options.seeds) {
    if (crashed(input)) return ended(input);
    corpus.push(input);
  }
  coverage.takeNew();
  if (corpus.length === 0) corpus.push(new Uint8Array());
  const pick = (): Uint8Array => corpus[random(corpus.length)] ?? new Uint8Array();
  while (runs < runsMax && performance.now() < deadline) {
    const batch = Array.from({ length: inputsPerLook }, () => mutate(pick(), pick(), random));
    for (const input of batch) if (crashed(input)) return ended(input);
    let fresh = coverage.takeNew();
    // Again one by one, to find out who it was.
    for (const input of batch) {
      if (fresh.length === 0) break;
      crashed(input);
      const look = coverage.look();
      const rest = fresh.filter((block) => !look.covers(block));
      if (rest.length < fresh.length) corpus.push(input);
      fresh = rest;
    }
  }
  return ended();
}

function errorOf(target: (input: Uint8Array) => void, input: Uint8Array): unknown {
  try {
    // A copy: what the target does to it must not reach the corpus.
    target(input.slice());
    return undefined;
  } catch (error) {
    return error ?? new Error("something undefined was thrown");
  }
}

/** Leaves out parts, halves first, as long as it still throws. */
function shrink(target: (input: Uint8Array) => void, crash: Uint8Array): { input: Uint8Array; error: unknown } {
  let best = { input: crash, error: errorOf(target, crash) };
  let tries = 0;
  for (let size = crash.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at + size <= best.input.length && tries < shrinkTriesMax; tries++) {
      const input = Uint8Array.from([...best.input.subarray(0, at), ...best.input.subarray(at + size)]);
      const error = errorOf(target, input);
      if (error === undefined) at += size;
      else best = { input, error };
    }
  }
  return best;
}
