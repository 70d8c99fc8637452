import { FaultThrottle } from "./fault-throttle.ts";

/** Every kind of fault. */
export const faultKinds = [
  "streamClosed",
  "badRequest",
  "handlerFailed",
  "responseTooLarge",
  "connectionRefused",
  "overloaded",
  "draining",
  "deadlineExceeded",
  "streamStalled",
  "answerUnread",
] as const;

/** Something a server's log should know; nothing needs to be done about it. */
export interface ServerFault {
  /**
   * - `streamClosed`: bytes that are no frame, or a stream that the client broke off; it was ended without an answer.
   * - `badRequest`: a frame that is no request, or over `maxFrameBytes`; it was answered with an RpcError.
   * - `handlerFailed`: `onCall` threw `error`; the client was told INTERNAL, or its stream was reset.
   * - `responseTooLarge`: an answer over 64 MiB; the stream was ended without it.
   * - `connectionRefused`: more connections than `maxConcurrentHandlers` or `maxConnections`.
   * - `overloaded`: a call over one of the limits; it was refused.
   * - `draining`: a call that came too late and whose client cannot be told; its stream was reset.
   * - `deadlineExceeded`: a call that the server's handler did not answer in time.
   * - `streamStalled`: a raw stream whose client neither sent nor took bytes; it was given up.
   * - `answerUnread`: answers over `maxConnectionUnsentBytes` or `maxUnsentBytes`, whose clients do not read; they were
   *   reset, or their connections closed.
   */
  readonly kind: (typeof faultKinds)[number];
  readonly message: string;
  /** Empty where the network has not told. */
  readonly remoteAddress: string;
  /** The call it was about, where one can be named. */
  readonly operation?: string;
  readonly error?: unknown;
  /** How many of this kind it stands for: faults are reported at most once per `faultIntervalMs`. */
  readonly count: number;
}

/** What becomes of faults when nobody listens: only a bug of the server itself is worth a warning. */
export function warnOfFailedHandlers(fault: ServerFault): void {
  if (fault.kind === "handlerFailed") process.emitWarning(fault.message, { code: "RUNTARA_HANDLER_FAILED" });
}

export type FaultCounts = Readonly<Record<ServerFault["kind"], number>>;
type Uncounted = Omit<ServerFault, "count">;

/** Counts all faults and reports the first of a kind at once, the others at the end of each interval. */
export class FaultReporter {
  readonly #onFault: (fault: ServerFault) => void;
  readonly #throttle: FaultThrottle<Uncounted>;
  readonly #counts = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Record<ServerFault["kind"], number>;
  #timer: NodeJS.Timeout | undefined;

  constructor(onFault: (fault: ServerFault) => void, intervalMs: number) {
    this.#onFault = onFault;
    this.#throttle = new FaultThrottle(intervalMs);
  }

  /** Faults since the start, reported or not. */
  get counts(): FaultCounts {
    return { ...this.#counts };
  }

  /** `times`: how many like it there were. */
  report(fault: Uncounted, times = 1): void {
    this.#counts[fault.kind] += times;
    // Two broken handlers are two things to know of; two refused calls are one.
    const kind = fault.kind === "handlerFailed" ? `handlerFailed ${fault.operation}` : fault.kind;
    const count = this.#throttle.take(kind, fault, performance.now(), times);
    if (count > 0) this.#onFault({ ...fault, count });
    else this.#arm();
  }

  /** Reports what was left out; no timer is left. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#reportDue(Number.POSITIVE_INFINITY);
  }

  #arm(): void {
    if (this.#timer !== undefined) return;
    const dueMs = this.#throttle.nextDueMs();
    if (dueMs === undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#reportDue(performance.now());
        this.#arm();
      },
      Math.ceil(Math.max(0, dueMs - performance.now())),
    );
    this.#timer.unref();
  }

  #reportDue(nowMs: number): void {
    for (const { event, count } of this.#throttle.due(nowMs)) this.#onFault({ ...event, count });
  }
}
