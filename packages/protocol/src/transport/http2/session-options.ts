import type { SecureClientSessionOptions, SecureServerOptions } from "node:http2";
import { limits } from "../../limits.ts";

/** Node's own bounds of a session; what goes over them ends the session. */
type Bounds = Pick<
  SecureServerOptions & SecureClientSessionOptions,
  | "maxOutstandingPings"
  | "maxSessionMemory"
  | "maxSessionInvalidFrames"
  | "maxSettings"
  | "maxSendHeaderBlockLength"
  | "settings"
>;

/** What we promise the peer: how much it may send before it must wait. `streamsMax`: how many streams it may open. */
export function sessionOptions(streamsMax: number): Bounds {
  return {
    maxOutstandingPings: limits.http2PingsMax,
    maxSessionMemory: limits.http2SessionMemoryMb,
    maxSessionInvalidFrames: limits.http2InvalidFramesMax,
    maxSettings: limits.http2SettingsMax,
    maxSendHeaderBlockLength: limits.http2HeaderBytesMax,
    settings: {
      enablePush: false,
      initialWindowSize: limits.http2StreamWindowBytes,
      maxConcurrentStreams: streamsMax,
      maxHeaderListSize: limits.http2HeaderBytesMax,
    },
  };
}
