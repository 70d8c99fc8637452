import { QuicError } from "@runtara/quic";
import { limits } from "../../limits.ts";
import { type FrameBounds, type FrameFault, type FrameRead, headerFault } from "../frame-bounds.ts";
import type { Pipe } from "./pipe.ts";

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
  const fault = headerFault(bounds, type, length);
  if (fault !== undefined) return fault;
  const payload = await readExactly(pipe, length, bounds, limits.frameHeaderBytes);
  return payload instanceof Uint8Array ? { type, payload } : payload;
}

async function readExactly(
  pipe: Pipe,
  length: number,
  bounds: FrameBounds,
  readBefore: number,
): Promise<Uint8Array<ArrayBuffer> | FrameFault> {
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

async function nextChunk(pipe: Pipe, timeoutMs: number): Promise<Uint8Array | undefined | FrameFault> {
  const late = Promise.withResolvers<FrameFault>();
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
