import { setTimeout as delay } from "node:timers/promises";
import type { QuicConnection, QuicStream } from "@runtara/quic";
import type { RecordedCall, Step } from "./conversation.ts";

/** What came back on a stream. */
export interface Played {
  readonly kind: "frame" | "fin" | "reset" | "none" | "unread";
  readonly bytes: Buffer;
  readonly elapsedMs: number;
}

/** Sends a recorded call on a stream of its own and reads until FIN, reset or the end of its patience. */
export async function play(connection: QuicConnection, call: RecordedCall): Promise<Played> {
  const stream = await connection.openStream();
  const startedAt = performance.now();
  const reading = isUnread(call) ? undefined : readToEnd(stream);
  reading?.catch(() => undefined);
  for (const step of stepsOf(call)) await take(stream, step);
  const patienceMs = call.timeout_ms ?? 3_000;
  const read = reading === undefined ? undefined : await withPatience(reading, patienceMs);
  const elapsedMs = performance.now() - startedAt;
  // A sending side that is still open is reset once the answer has been looked at.
  stream.reset(0);
  if (read === undefined) return { kind: reading === undefined ? "unread" : "none", bytes: Buffer.alloc(0), elapsedMs };
  const kind = read.wasReset ? "reset" : read.bytes.length > 0 ? "frame" : "fin";
  return { kind, bytes: read.bytes, elapsedMs };
}

function isUnread({ steps = [] }: RecordedCall): boolean {
  return steps.some((step) => "stop" in step);
}

function stepsOf({ steps, request_hex = "", tail_hex = "", finish }: RecordedCall): readonly Step[] {
  if (steps !== undefined) return steps;
  return [{ write: request_hex + tail_hex }, ...(finish ? [{ fin: true } as const] : [])];
}

async function take(stream: QuicStream, step: Step): Promise<void> {
  if ("sleep_ms" in step) await delay(step.sleep_ms);
  else if ("reset" in step) stream.reset(step.reset);
  else if ("stop" in step) stream.stop(step.stop);
  // The server may stop reading as soon as it has a whole frame: what is written after that need not arrive.
  else if ("fin" in step) await stream.finish().catch(() => undefined);
  else if ("fill" in step) await stream.write(Buffer.alloc(step.count, step.fill)).catch(() => undefined);
  else await stream.write(Buffer.from(step.write, "hex")).catch(() => undefined);
}

async function readToEnd(stream: QuicStream): Promise<{ readonly bytes: Buffer; readonly wasReset: boolean }> {
  const chunks: Uint8Array[] = [];
  try {
    for (;;) {
      const chunk = await stream.read();
      if (chunk === undefined) return { bytes: Buffer.concat(chunks), wasReset: false };
      chunks.push(chunk);
    }
  } catch {
    return { bytes: Buffer.concat(chunks), wasReset: true };
  }
}

async function withPatience<T>(promise: Promise<T>, patienceMs: number): Promise<T | undefined> {
  const timer = new AbortController();
  const timeout = delay(patienceMs, undefined, { signal: timer.signal }).catch(() => undefined);
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    timer.abort();
  }
}
