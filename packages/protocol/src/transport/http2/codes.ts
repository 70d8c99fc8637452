import { constants } from "node:http2";
import { limits } from "../../limits.ts";

// HTTP/2 has 32 bits for the code of a reset and uses the lowest numbers itself (RFC 9113 section 7). Ours are 0 to
// 2^31 - 1: code 0 is CANCEL (NO_ERROR from a server whose answer is whole), and any other code c is 2^31 + c. A code of
// HTTP/2 itself, for example of a proxy on the way, is told as 2^32 + that code, which no peer of ours can have sent.

const ours = 0x8000_0000;
const theirs = 0x1_0000_0000;

/** Our reset code as HTTP/2 sends it. @throws RangeError */
export function wireCode(code: number): number {
  if (!Number.isInteger(code) || code < 0 || code > limits.http2ResetCodeMax) {
    throw new RangeError(
      `code ${code} is not a whole number from 0 to ${limits.http2ResetCodeMax}, as HTTP/2 needs it`,
    );
  }
  return code === 0 ? constants.NGHTTP2_CANCEL : ours + code;
}

/** What a received code means here. */
export function resetCodeOf(wire: number): number {
  if (wire >= ours) return wire - ours;
  return wire === constants.NGHTTP2_NO_ERROR || wire === constants.NGHTTP2_CANCEL ? 0 : theirs + wire;
}
