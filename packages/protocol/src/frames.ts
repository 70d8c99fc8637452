import { ProtocolError } from "./errors.ts";
import { limits } from "./limits.ts";

/**
 * Types of frames (spec 1.5). Requests and responses, errors included, are all that is ever sent; the others are valid
 * on receipt and treated alike.
 */
export const frameType = {
  request: 1,
  response: 2,
  streamStart: 3,
  streamData: 4,
  streamEnd: 5,
  error: 6,
} as const;

/** One frame. In a decoded one `payload` is a view of the input. */
export interface Frame {
  readonly type: number;
  readonly payload: Uint8Array;
}

/**
 * Header (payload length and type, big-endian) and payload in one buffer.
 *
 * @throws ProtocolError FRAME_TYPE_INVALID or FRAME_TOO_LARGE.
 */
export function encodeFrame(type: number, payload: Uint8Array): Uint8Array {
  checkHeader(type, payload.length);
  const frame = new Uint8Array(limits.frameHeaderBytes + payload.length);
  const header = new DataView(frame.buffer);
  header.setUint32(0, payload.length);
  header.setUint16(4, type);
  frame.set(payload, limits.frameHeaderBytes);
  return frame;
}

/**
 * The frame at the beginning of `bytes`; what follows it is ignored. Faults are found in the order of spec 1.6:
 * header cut off, type, length, payload cut off.
 *
 * @throws ProtocolError FRAME_TRUNCATED, FRAME_TYPE_INVALID or FRAME_TOO_LARGE.
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  const { type, payloadBytes } = decodeFrameHeader(bytes);
  const end = limits.frameHeaderBytes + payloadBytes;
  if (bytes.length < end) throw truncated(`${end - bytes.length} of ${payloadBytes} payload bytes are missing`);
  return { type, payload: bytes.subarray(limits.frameHeaderBytes, end) };
}

/** Only the first six bytes: for reading from a stream, where the payload comes later. */
export function decodeFrameHeader(bytes: Uint8Array): { type: number; payloadBytes: number } {
  if (bytes.length < limits.frameHeaderBytes) {
    throw truncated(`${bytes.length} of ${limits.frameHeaderBytes} header bytes`);
  }
  const header = new DataView(bytes.buffer, bytes.byteOffset, limits.frameHeaderBytes);
  const payloadBytes = header.getUint32(0);
  const type = header.getUint16(4);
  checkHeader(type, payloadBytes);
  return { type, payloadBytes };
}

export function frameTypeText(type: number): string {
  return `invalid message type: ${type}`;
}

export function frameSizeText(bytes: number): string {
  return `frame too large: ${bytes} bytes (max: ${limits.framePayloadBytesMax})`;
}

function checkHeader(type: number, payloadBytes: number): void {
  if (!Number.isInteger(type) || type < 1 || type > limits.frameTypeMax) {
    throw new ProtocolError("FRAME_TYPE_INVALID", frameTypeText(type));
  }
  if (payloadBytes > limits.framePayloadBytesMax) {
    throw new ProtocolError("FRAME_TOO_LARGE", frameSizeText(payloadBytes));
  }
}

function truncated(what: string): ProtocolError {
  return new ProtocolError("FRAME_TRUNCATED", `IO error: unexpected end of frame: ${what}`);
}
