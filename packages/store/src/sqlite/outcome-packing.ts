import { StoreError, type StoreErrorCode } from "../errors.ts";
import type { StartFacts } from "../model.ts";
import type { SaveCheckpointResult } from "../operations/index.ts";
import type { AnyResult, Outcome } from "./engine.ts";
import { joined } from "./packing.ts";

/** Outcomes on their way back, in the order of the operations. */
export interface PackedOutcomes {
  /**
   * For each: saved with nothing else to tell (0), the next of `results` (1), the next of `errors` (2), found with nothing else to tell
   * (3), registered with nothing in its facts but what the columns have, and known before (4) or new (5).
   */
  readonly codes: Uint8Array;
  /** Number of bytes of each state that was found; epoch, checkpoints, first start and run of each registration. */
  readonly numbers: Float64Array;
  /** States that were found and seeds, one behind the other. */
  readonly slab: Uint8Array;
  readonly results: readonly AnyResult[];
  readonly errors: readonly PackedError[];
}

export interface PackedError {
  readonly code: StoreErrorCode;
  readonly message: string;
}

const seedBytes = 16;

export function packOutcomes(outcomes: readonly Outcome[]): PackedOutcomes {
  const codes = new Uint8Array(outcomes.length);
  const numbers: number[] = [];
  const pieces: Uint8Array[] = [];
  const results: AnyResult[] = [];
  const errors: PackedError[] = [];
  for (let index = 0; index < outcomes.length; index += 1) {
    const { error, result } = outcomes[index] as Outcome;
    if (error !== undefined) {
      codes[index] = 2;
      errors.push(packError(error));
    } else if (isPlainSave(result)) {
      if (result.outcome === "saved") continue;
      codes[index] = 3;
      numbers.push(result.state.byteLength);
      pieces.push(result.state);
    } else if (isPlainStart(result)) {
      codes[index] = result.created ? 5 : 4;
      const { epoch, checkpointCount, firstStartedAtMs, run, seed } = result.facts;
      numbers.push(epoch, checkpointCount, firstStartedAtMs, run);
      pieces.push(seed);
    } else {
      codes[index] = 1;
      results.push(result);
    }
  }
  return { codes, numbers: Float64Array.from(numbers), slab: joined(pieces), results, errors };
}

type Saved = Extract<SaveCheckpointResult, { readonly outcome: "saved" | "found" }>;

/** Of saveCheckpoint, whose results alone have a member `custom` beside a state. */
function isPlainSave(result: AnyResult): result is Saved {
  return "custom" in result && "state" in result && result.signal === undefined && result.custom === undefined;
}

type Registered = Extract<AnyResult, { readonly outcome: "registered" }>;

function isPlainStart(result: AnyResult): result is Registered {
  if (!("facts" in result) || result.outcome !== "registered") return false;
  const { input, workflow, version, parentInstanceId, signal, seed } = result.facts;
  return (
    (input ?? workflow ?? version ?? parentInstanceId) === null && signal === undefined && seed.byteLength === seedBytes
  );
}

const noBytes: Uint8Array = new Uint8Array(0);
const savedAlone: Saved = { outcome: "saved", state: noBytes, signal: undefined, custom: undefined };

export function unpackOutcomes(packed: PackedOutcomes): Outcome[] {
  const { codes, results, errors } = packed;
  const outcomes: Outcome[] = [];
  const columns = new ColumnReader(packed);
  let result = 0;
  let error = 0;
  for (const code of codes) {
    if (code === 0) outcomes.push({ error: undefined, result: savedAlone });
    else if (code === 1) {
      outcomes.push({ error: undefined, result: results[result] as AnyResult });
      result += 1;
    } else if (code === 2) {
      outcomes.push({ error: unpackError(errors[error] as PackedError), result: undefined });
      error += 1;
    } else if (code === 3) outcomes.push({ error: undefined, result: columns.found() });
    else outcomes.push({ error: undefined, result: columns.registered(code === 5) });
  }
  return outcomes;
}

class ColumnReader {
  readonly #numbers: Float64Array;
  readonly #slab: Uint8Array;
  #number = 0;
  #byte = 0;

  constructor({ numbers, slab }: PackedOutcomes) {
    this.#numbers = numbers;
    this.#slab = slab;
  }

  found(): Saved {
    return { outcome: "found", state: this.#bytes(this.#next()), signal: undefined, custom: undefined };
  }

  registered(created: boolean): Registered {
    const facts: StartFacts = {
      epoch: this.#next(),
      checkpointCount: this.#next(),
      input: null,
      firstStartedAtMs: this.#next(),
      seed: this.#bytes(seedBytes),
      run: this.#next(),
      workflow: null,
      version: null,
      parentInstanceId: null,
      signal: undefined,
    };
    return { outcome: "registered", created, facts };
  }

  #next(): number {
    this.#number += 1;
    return this.#numbers[this.#number - 1] ?? 0;
  }

  #bytes(count: number): Uint8Array {
    this.#byte += count;
    return this.#slab.subarray(this.#byte - count, this.#byte);
  }
}

export function packError({ code, message }: StoreError): PackedError {
  return { code, message };
}

export function unpackError({ code, message }: PackedError): StoreError {
  return new StoreError(code, message);
}
