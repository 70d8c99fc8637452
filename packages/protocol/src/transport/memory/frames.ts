import { type CallFault, type Frame, QuicError } from "@runtara/quic";
import { limits } from "../../limits.ts";
import type { Pipe } from "./pipe.ts";

export interface FrameBounds {
  readonly payloadBytesMax: number;
  readonly typeMax: number;
  /** How long a started frame may go without a new byte; 0 = for ever. */
  readonly readTimeoutMs: number;
}

/** A frame, or what was wrong with it. */
export type FrameRead =
  | (Frame & { readonly fault?: undefined })
  | { readonly fault: CallFault; readonly detail: number };
type Fault = Extract<FrameRead, { detail: number }>;

/**
 * The first frame in `pipe`; what follows stays there. Faults in the order of spec 1.6, lengths before allocation.
 *
 * @throws QuicError if the connection ends.
 */
export async function readFrame(pipe: Pipe, bounds: FrameBounds): Promise<FrameRead> {
  const header = await readExactly(pipe, limits.frameHeaderBytes, bounds, 0);
  if (!(header instanceof Uint8Array)) return header;
  const view = new DataView(header.buffer);
  const length = view.getUint32(0);
  const type = view.getUint16(4);
  if (type < 1 || type > bounds.typeMax) return { fault: "FRAME_TYPE_INVALID", detail: type };
  if (length > bounds.payloadBytesMax) return { fault: "FRAME_TOO_LARGE", detail: length };
  const payload = await readExactly(pipe, length, bounds, limits.frameHeaderBytes);
  return payload instanceof Uint8Array ? { type, payload } : payload;
}

async function readExactly(
  pipe: Pipe,
  length: number,
  bounds: FrameBounds,
  readBefore: number,
): Promise<Uint8Array<ArrayBuffer> | Fault> {
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length; ) {
    const hasStarted = readBefore + filled > 0;
    const chunk = await nextChunk(pipe, hasStarted ? bounds.readTimeoutMs : 0);
    if (chunk === undefined) return { fault: "FRAME_TRUNCATED", detail: readBefore + filled };
    if (!(chunk instanceof Uint8Array)) return chunk;
    const taken = chunk.subarray(0, length - filled);
    bytes.set(taken, filled);
    filled += taken.length;
    if (taken.length < chunk.length) pipe.putBack(chunk.subarray(taken.length));
  }
  return bytes;
}

async function nextChunk(pipe: Pipe, timeoutMs: number): Promise<Uint8Array | undefined | Fault> {
  const late = Promise.withResolvers<Fault>();
  const timer =
    timeoutMs > 0 ? setTimeout(() => late.resolve({ fault: "FRAME_TIMEOUT", detail: 0 }), timeoutMs) : undefined;
  try {
    return await (timer === undefined ? pipe.read() : Promise.race([pipe.read(), late.promise]));
  } catch (error) {
    if (!(error instanceof QuicError) || error.code !== "STREAM_RESET") throw error;
    return { fault: "STREAM_RESET", detail: Number(error.resetCode ?? 0n) };
  } finally {
    clearTimeout(timer);
  }
}

/** What the caller of a failed unary call gets; the bad type or length stands at the end of the text. */
export function answerError({ fault, detail }: Fault): QuicError {
  switch (fault) {
    case "FRAME_TYPE_INVALID":
    case "FRAME_TOO_LARGE":
      return new QuicError(fault, `the answer's header is not valid: ${detail}`);
    case "STREAM_RESET":
      return new QuicError(fault, `stream reset by peer: error ${detail}`, { resetCode: BigInt(detail) });
    default:
      return new QuicError("STREAM_ENDED", `the stream ended after ${detail} bytes of the answer`);
  }
}

/** @throws QuicError FRAME_TYPE_INVALID or FRAME_TOO_LARGE */
export function checkFrame(bounds: FrameBounds, type: number, payload: Uint8Array): void {
  if (!Number.isInteger(type) || type < 1 || type > bounds.typeMax) {
    throw new QuicError("FRAME_TYPE_INVALID", `frame types are 1 to ${bounds.typeMax}, got ${type}`);
  }
  if (payload.length > bounds.payloadBytesMax) {
    throw new QuicError("FRAME_TOO_LARGE", `the limit is ${bounds.payloadBytesMax} bytes, got ${payload.length}`);
  }
}
