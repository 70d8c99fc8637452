import type { Operation, RegisterInstance, SaveCheckpoint } from "../operations/index.ts";

// What crosses between threads. New checkpoints and registrations, nearly all of the traffic, as columns and one slab of bytes, a fraction
// of what copying an object each would cost; everything else as it is. What comes back: outcome-packing.ts.

/** Operations on their way to a thread, in their order. */
export interface PackedOperations {
  /** For each operation: the next of `others` (0), a checkpoint (1) or a registration (2) of the columns. */
  readonly kinds: Uint8Array;
  /** Instance id and checkpoint id of each checkpoint; instance id and tenant id of each registration. */
  readonly texts: string[];
  /** Epoch (NaN = none), time and number of bytes of each checkpoint; whether the tenant counts, time and silence of each registration. */
  readonly numbers: Float64Array;
  /** States and seeds, one behind the other. */
  readonly slab: Uint8Array;
  readonly others: readonly Operation[];
}

const seedBytes = 16;

export function packOperations(operations: readonly Operation[]): PackedOperations {
  const kinds = new Uint8Array(operations.length);
  const numbers = new Float64Array(3 * operations.length);
  const texts: string[] = [];
  const others: Operation[] = [];
  const pieces: Uint8Array[] = [];
  let number = 0;
  for (let index = 0; index < operations.length; index += 1) {
    const operation = operations[index] as Operation;
    if (operation.kind === "saveCheckpoint") {
      kinds[index] = 1;
      texts.push(operation.instanceId, operation.checkpointId);
      numbers[number] = operation.epoch ?? Number.NaN;
      numbers[number + 1] = operation.nowMs;
      numbers[number + 2] = operation.state.byteLength;
      pieces.push(operation.state);
      number += 3;
    } else if (isPlainRegistration(operation)) {
      kinds[index] = 2;
      texts.push(operation.instanceId, operation.tenantId);
      numbers[number] = operation.checkTenant ? 1 : 0;
      numbers[number + 1] = operation.nowMs;
      numbers[number + 2] = operation.staleAfterMs;
      pieces.push(operation.seed);
      number += 3;
    } else others.push(compact(operation));
  }
  return { kinds, texts, numbers, slab: joined(pieces), others };
}

function isPlainRegistration(operation: Operation): operation is RegisterInstance {
  return (
    operation.kind === "registerInstance" &&
    operation.checkpointId === undefined &&
    operation.seed.byteLength === seedBytes
  );
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  let bytes = 0;
  for (const piece of pieces) bytes += piece.byteLength;
  const slab = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    slab.set(piece, at);
    at += piece.byteLength;
  }
  return slab;
}

export function unpackOperations({ kinds, texts, numbers, slab, others }: PackedOperations): Operation[] {
  const operations: Operation[] = [];
  let other = 0;
  let column = 0;
  let at = 0;
  for (const kind of kinds) {
    if (kind === 0) {
      operations.push(others[other] as Operation);
      other += 1;
      continue;
    }
    const [first = "", second = ""] = [texts[2 * column], texts[2 * column + 1]];
    const [one = 0, nowMs = 0, last = 0] = [numbers[3 * column], numbers[3 * column + 1], numbers[3 * column + 2]];
    const end = at + (kind === 1 ? last : seedBytes);
    const bytes = slab.subarray(at, end);
    operations.push(
      kind === 1 ? save(first, second, one, nowMs, bytes) : register(first, second, one, nowMs, last, bytes),
    );
    column += 1;
    at = end;
  }
  return operations;
}

function save(
  instanceId: string,
  checkpointId: string,
  epoch: number,
  nowMs: number,
  state: Uint8Array,
): SaveCheckpoint {
  return Number.isNaN(epoch)
    ? { kind: "saveCheckpoint", instanceId, checkpointId, state, nowMs }
    : { kind: "saveCheckpoint", instanceId, epoch, checkpointId, state, nowMs };
}

function register(
  instanceId: string,
  tenantId: string,
  checkTenant: number,
  nowMs: number,
  staleAfterMs: number,
  seed: Uint8Array,
): RegisterInstance {
  return {
    kind: "registerInstance",
    instanceId,
    tenantId,
    checkTenant: checkTenant !== 0,
    // A copy, because rows are remembered and a view would keep the whole slab.
    seed: seed.slice(),
    nowMs,
    staleAfterMs,
  };
}

/** A view is sent with all that it is a view of, so only what it shows is copied. */
function compact<T>(value: T): T {
  if (value instanceof Uint8Array) {
    return (value.byteLength === value.buffer.byteLength ? value : new Uint8Array(value)) as T;
  }
  if (Array.isArray(value)) return value.map(compact) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, compact(member)])) as T;
}
