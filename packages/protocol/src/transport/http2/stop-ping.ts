import type { Http2Session } from "node:http2";
import { limits } from "../../limits.ts";

// HTTP/2 has no STOP_SENDING: a reset ends both directions. So that a writer learns at once that its reader has stopped,
// the reader says it in a PING, whose eight bytes are free (RFC 9113 section 6.7): the stream's number with the highest
// bit set, then the code. A peer that does not know this only answers the PING. Our keep-alive PINGs are all zeros.

const mark = 0x8000_0000;

export interface StopPing {
  readonly streamId: number;
  readonly code: number;
}

export const keepAlivePing: Uint8Array = new Uint8Array(8);

export function stopPing({ streamId, code }: StopPing): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(mark + streamId, 0);
  payload.writeUInt32BE(code, 4);
  return payload;
}

/** Undefined if the PING is for something else. */
export function stopOf(payload: Uint8Array): StopPing | undefined {
  if (payload.length !== 8) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, 8);
  const [head, code] = [view.getUint32(0), view.getUint32(4)];
  if (head <= mark || code > limits.http2ResetCodeMax) return undefined;
  return { streamId: head - mark, code };
}

/** Behind what this turn of the event loop sends, because PINGs overtake the HEADERS of a stream that is just opened. */
export function sendStop(session: Http2Session, stop: StopPing): void {
  setImmediate(() => {
    // False if too many are unanswered; then the peer learns of it when this side has finished writing.
    if (!session.destroyed) session.ping(stopPing(stop), () => {});
  });
}
