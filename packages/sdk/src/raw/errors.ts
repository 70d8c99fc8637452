import { isProtocolError } from "@runtara/protocol";

/** The kinds of the original's error, and how their texts begin (spec 10.4). */
const beginnings = {
  Config: "configuration error: ",
  Connection: "connection error: ",
  Registration: "registration failed: ",
  Checkpoint: "checkpoint error: ",
  Sleep: "sleep error: ",
  Event: "event error: ",
  Signal: "signal error: ",
  Status: "status error: ",
  Server: "server error: ",
  Cancelled: "instance cancelled",
  Paused: "instance paused",
  Serialization: "serialization error: ",
  UnexpectedResponse: "unexpected response: ",
  Internal: "internal error: ",
} as const;

export type SdkErrorCode = keyof typeof beginnings;

/** The one error of the low-level SDK. `message` begins as the original's does. */
export class SdkError extends Error {
  override readonly name = "SdkError";
  readonly code: SdkErrorCode;
  /** With code Server: the server's own code, such as CHECKPOINT_ERROR. */
  readonly serverCode: string | undefined;

  constructor(code: SdkErrorCode, detail = "", options: { cause?: unknown; serverCode?: string } = {}) {
    super(beginnings[code] + detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.serverCode = options.serverCode;
  }

  /** The server's refusal. */
  static server(serverCode: string, message: string, cause?: unknown): SdkError {
    return new SdkError("Server", `${serverCode} - ${message}`, { serverCode, cause });
  }

  /** What the protocol says went wrong, in these kinds. */
  static from(reason: unknown): SdkError {
    if (reason instanceof SdkError) return reason;
    if (!isProtocolError(reason)) return new SdkError("Internal", String(reason), { cause: reason });
    const { code, message } = reason;
    switch (code) {
      case "RPC":
        return SdkError.server(reason.rpcCode ?? "UNKNOWN", message, reason);
      case "RESPONSE_UNEXPECTED":
        return new SdkError("UnexpectedResponse", message, { cause: reason });
      case "DECODE_FAILED":
      case "ENCODE_FAILED":
        return new SdkError("Serialization", message, { cause: reason });
      case "ADDRESS_INVALID":
      case "SERVER_NAME_INVALID":
      case "CERTIFICATE_INVALID":
      case "OPTION_INVALID":
        return new SdkError("Config", message, { cause: reason });
      default:
        return new SdkError("Connection", message, { cause: reason });
    }
  }
}
