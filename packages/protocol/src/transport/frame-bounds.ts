import { type CallFault, type Frame, QuicError } from "@runtara/quic";
import { limits, serverDefaults } from "../limits.ts";
import type { BindOptions, DialOptions } from "./port.ts";

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
export type FrameFault = Extract<FrameRead, { detail: number }>;

export function frameBounds(options: Pick<BindOptions | DialOptions, "frame">): FrameBounds {
  return {
    payloadBytesMax: options.frame?.payloadBytesMax ?? limits.framePayloadBytesMax,
    typeMax: options.frame?.typeMax ?? limits.frameTypeMax,
    readTimeoutMs: options.frame?.readTimeoutMs ?? serverDefaults.frameReadTimeoutMs,
  };
}

/** What is wrong with a header, in the order of spec 1.6. */
export function headerFault(bounds: FrameBounds, type: number, payloadBytes: number): FrameFault | undefined {
  if (type < 1 || type > bounds.typeMax) return { fault: "FRAME_TYPE_INVALID", detail: type };
  if (payloadBytes > bounds.payloadBytesMax) return { fault: "FRAME_TOO_LARGE", detail: payloadBytes };
  return undefined;
}

/** What the caller of a failed unary call gets; the bad type or length stands at the end of the text. */
export function answerError({ fault, detail }: FrameFault): QuicError {
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
