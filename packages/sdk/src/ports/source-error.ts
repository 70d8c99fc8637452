/** What a source failed with, a closed set; each says what the runtime does next. */
export type SourceErrorCode =
  /** Another process owns the instance: stop, write nothing. */
  | "FENCED"
  /** It is over, or suspended by other hands: stop, write nothing. */
  | "ENDED"
  /** There is no such instance. */
  | "UNKNOWN"
  /** The id of a start belongs to something else. `differs` says what. */
  | "CONFLICT"
  /** The request itself is wrong or too large; the same one never succeeds. */
  | "REFUSED"
  /** The server does not serve it. `feature` names it. */
  | "UNSUPPORTED"
  /** Store, core or connection are in trouble: the same request may succeed later. Whether it was carried out is open. */
  | "AWAY"
  /** The source has been closed. */
  | "CLOSED";

/** What a source of work failed with. `feature`, `differs` and `retryAfterMs` (wait at least that long) where the code says so. */
export class SourceError extends Error {
  readonly code: SourceErrorCode;
  readonly feature: string | undefined;
  readonly differs: readonly string[];
  readonly retryAfterMs: number | undefined;
  constructor(
    code: SourceErrorCode,
    message: string,
    more: { cause?: unknown; feature?: string; differs?: readonly string[]; retryAfterMs?: number } = {},
  ) {
    super(message, "cause" in more ? { cause: more.cause } : undefined);
    this.name = "SourceError";
    this.code = code;
    this.feature = more.feature;
    this.differs = more.differs ?? [];
    this.retryAfterMs = more.retryAfterMs;
  }
}
