import { type ErrorDetails, ProtocolError } from "./errors.ts";
import { frameSizeText, frameTypeText } from "./frames.ts";
import { limits } from "./limits.ts";
import type { Protocol, RequestEnvelope, RequestOf, ResponseEnvelope } from "./protocols/protocol.ts";
import { decodeMessage } from "./wire/decode.ts";

/** What can be wrong with the frame of a request before anybody looks into it. */
export type FrameFault =
  | "FRAME_TYPE_INVALID"
  | "FRAME_TOO_LARGE"
  | "FRAME_TRUNCATED"
  | "FRAME_TIMEOUT"
  | "STREAM_RESET"
  | "BUFFER_EXHAUSTED";

/** A request frame as it came from the network: whole, or with its fault. */
export interface ReceivedFrame {
  readonly type: number;
  readonly payload: Uint8Array;
  readonly fault?: FrameFault | undefined;
  /** The bad type, length or reset code. */
  readonly faultDetail?: number;
}

/**
 * What a server does about a frame (spec 1.8): handle the request, answer with an error, or end the stream without a
 * word. `reason` is for the log.
 */
export type ReadResult<Request extends RequestEnvelope> =
  | { readonly kind: "request"; readonly request: RequestOf<Request> }
  | {
      readonly kind: "answer";
      readonly code: "BAD_REQUEST" | "EMPTY_REQUEST";
      readonly message: string;
      readonly details?: ErrorDetails;
    }
  | { readonly kind: "close"; readonly reason: string };

/**
 * Reads one request strictly but patiently: every valid frame type is a request, unknown fields are passed over, of
 * several calls in one envelope the last one counts. Never throws. Values of type bytes are views of the payload.
 */
export function readRequest<Request extends RequestEnvelope, Response extends ResponseEnvelope>(
  protocol: Protocol<Request, Response>,
  frame: ReceivedFrame,
): ReadResult<Request> {
  if (frame.fault !== undefined) return readFault(frame.fault, frame.faultDetail ?? 0);
  if (frame.type < 1 || frame.type > limits.frameTypeMax) return readFault("FRAME_TYPE_INVALID", frame.type);
  if (frame.payload.length > limits.framePayloadBytesMax) return readFault("FRAME_TOO_LARGE", frame.payload.length);
  try {
    const { request } = decodeMessage(protocol.requestSchema, frame.payload) as RequestEnvelope;
    if (request.case !== undefined) return { kind: "request", request: request as RequestOf<Request> };
    return { kind: "answer", code: "EMPTY_REQUEST", message: "RpcRequest contained no request" };
  } catch (error) {
    if (error instanceof ProtocolError) return badRequest(error.message);
    throw error;
  }
}

function readFault(fault: FrameFault, detail: number): ReadResult<never> {
  switch (fault) {
    case "FRAME_TYPE_INVALID":
      return { kind: "close", reason: frameTypeText(detail) };
    case "FRAME_TOO_LARGE":
      return { kind: "close", reason: frameSizeText(detail) };
    case "FRAME_TRUNCATED":
      return { kind: "close", reason: "IO error: unexpected end of frame" };
    case "STREAM_RESET":
      return { kind: "close", reason: `IO error: stream reset by peer: error ${detail}` };
    case "FRAME_TIMEOUT":
      return badRequest("the request frame did not arrive whole in time; send header and payload without a pause");
    case "BUFFER_EXHAUSTED":
      // Which call it would have been is not known, but it was not begun.
      return {
        ...badRequest("too many half-sent frames are here; finish some requests before starting others"),
        details: { fineCode: "OVERLOADED", retryable: true },
      };
  }
}

function badRequest(message: string): Extract<ReadResult<never>, { kind: "answer" }> {
  return { kind: "answer", code: "BAD_REQUEST", message };
}
