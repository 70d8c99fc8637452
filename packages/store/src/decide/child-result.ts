import type { InstanceStatus } from "../model.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The message id under which a child's end is told to its parent: once, however often it is tried. */
export function childMessageId(childInstanceId: string): string {
  return `child:${childInstanceId}`;
}

/**
 * The end of a child as its parent gets it, a JSON object in UTF-8: `status`, and of a completed one `output`, of a failed one `error` (a
 * text) and `failure`, where there are any. Output and failure are JSON of the child's own and go into it byte by byte, so that its numbers
 * stay as they are; what is no JSON goes as `outputBase64` and `failureBase64`.
 */
export function childResult(
  status: InstanceStatus,
  report: { readonly output: Uint8Array | null; readonly error: string | null; readonly failure: Uint8Array | null },
): Uint8Array {
  const parts: Uint8Array[] = [encoder.encode(`{"status":${JSON.stringify(status)}`)];
  if (status === "completed") parts.push(...member("output", report.output));
  if (status === "failed") {
    if (report.error !== null) parts.push(encoder.encode(`,"error":${JSON.stringify(report.error)}`));
    parts.push(...member("failure", report.failure));
  }
  parts.push(encoder.encode("}"));
  return Buffer.concat(parts);
}

function member(name: string, bytes: Uint8Array | null): Uint8Array[] {
  if (bytes === null) return [];
  if (isJson(bytes)) return [encoder.encode(`,"${name}":`), bytes];
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  return [encoder.encode(`,"${name}Base64":"${text}"`)];
}

function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(decoder.decode(bytes));
    return true;
  } catch {
    return false;
  }
}
