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
}
