/** Null is unlike empty. */
export function sameBytes(some: Uint8Array | null, others: Uint8Array | null): boolean {
  if (some === null || others === null) return some === others;
  return Buffer.compare(some, others) === 0;
}
