import { formatUuid } from "../hash.ts";

/** A UUID (version 7, RFC 9562 5.7): those of later milliseconds sort behind earlier ones. */
export function newInstanceId(nowMs: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  new DataView(bytes.buffer).setBigUint64(0, (BigInt(nowMs) << 16n) | BigInt(((bytes[6] ?? 0) << 8) | (bytes[7] ?? 0)));
  return formatUuid(bytes, 7);
}
