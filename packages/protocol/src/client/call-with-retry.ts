import { setTimeout as sleep } from "node:timers/promises";
import type { Message } from "@bufbuild/protobuf";
import { encodeRequest } from "../envelopes.ts";
import { isProtocolError, ProtocolError } from "../errors.ts";
import { type Answer, callShape, type RequestMessage } from "../protocols/calls.ts";
import { wasNeverSent } from "../quic-errors.ts";
import type { CallOptions, ClientConnection } from "./connection.ts";
import { type RetryPolicy, retryDelayMs, retryPolicy } from "./retry.ts";
import { connected, exchange } from "./send-request.ts";
import { checkTimeMs } from "./time-option.ts";

export interface RetryingCallOptions extends CallOptions {
  /** For this call alone; false = it is sent once. */
  readonly retry?: RetryPolicy | false | undefined;
}

interface Settings extends RetryingCallOptions {
  readonly requestTimeoutMs: number;
  /** Of the client, checked. */
  readonly usualRetry: Required<RetryPolicy> | false;
  /** Where the client connects to, for errors. */
  readonly destination: () => string;
}

interface Target {
  readonly isConnected: boolean;
  /** How often it was closed: what a call has begun before is not connected again. */
  readonly closeCount: number;
  connect(): Promise<ClientConnection>;
}

interface Failure {
  readonly error: unknown;
  readonly isConnecting: boolean;
  readonly mayHaveArrived: boolean;
}

type Try = { readonly answer: Message | undefined } | Failure;

/** For QuicClient. */
export async function callWithRetry<M extends RequestMessage>(
  target: Target,
  request: M,
  settings: Settings,
): Promise<Answer<M>> {
  const shape = callShape(request);
  const payload = encodeRequest(request);
  const timeoutMs = settings.timeoutMs ?? (shape.waits ? 0 : settings.requestTimeoutMs);
  checkTimeMs("timeoutMs", timeoutMs);
  const retry = settings.retry === undefined ? settings.usualRetry : retryPolicy(settings.retry);
  const deadline = timeoutMs > 0 ? performance.now() + timeoutMs : Number.POSITIVE_INFINITY;
  const { closeCount } = target;
  let cause: unknown;
  for (let number = 1; ; number++) {
    const made = await tryOnce(target, request, payload, deadline, settings.signal);
    // The table behind Answer and callShape is one and the same.
    if ("answer" in made) return made.answer as Answer<M>;
    const { error, mayHaveArrived } = made;
    if (isLate(error, settings.signal)) throw lateError(timeoutMs, made, cause, settings.destination);
    if (retry === false || !isProtocolError(error)) throw error;
    const { code, fineCode, isRetryable, retryAfterMs } = error;
    const { isIdempotent } = shape;
    const failed = { number, code, isIdempotent, mayHaveArrived, fineCode, isRetryable, retryAfterMs };
    const delayMs = retryDelayMs(failed, Math.random(), retry);
    if (delayMs === undefined || performance.now() + delayMs >= deadline) throw error;
    cause = error;
    await pause(delayMs, settings.signal);
    if (target.closeCount !== closeCount) throw error;
  }
}

async function tryOnce(
  target: Target,
  request: Message,
  payload: Uint8Array,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<Try> {
  let connection: ClientConnection;
  try {
    connection = await connectedBefore(target, deadline, signal);
  } catch (error) {
    return { error, isConnecting: true, mayHaveArrived: false };
  }
  const wasOpen = connection.isOpen;
  // Never 0, which would mean no deadline.
  const timeoutMs = deadline === Number.POSITIVE_INFINITY ? 0 : Math.max(1, Math.ceil(deadline - performance.now()));
  try {
    return { answer: await exchange(connection, request, payload, { timeoutMs, ...(signal ? { signal } : {}) }) };
  } catch (error) {
    // What the caller has closed must not come back by itself.
    if (connection.isClosedHere) throw error;
    return { error, isConnecting: false, mayHaveArrived: wasOpen && !wasNeverSent(error) };
  }
}

/** The deadline ends the waiting for a connection, not the connecting, which others may share. */
async function connectedBefore(
  target: Target,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<ClientConnection> {
  // The usual case needs neither timer nor signal.
  if (target.isConnected || deadline === Number.POSITIVE_INFINITY) return connected(target, signal);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), Math.max(0, Math.ceil(deadline - performance.now())));
  try {
    return await connected(target, signal ? AbortSignal.any([signal, late.signal]) : late.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the deadline, not the caller, ended a try. */
function isLate(error: unknown, signal: AbortSignal | undefined): boolean {
  return isProtocolError(error) && (error.code === "CALL_TIMEOUT" || error.code === "CALL_ABORTED") && !signal?.aborted;
}

async function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(delayMs, undefined, signal ? { signal } : {});
  } catch (cause) {
    throw new ProtocolError("CALL_ABORTED", "read error: aborted before the next try", { cause });
  }
}

/** Tells of the last try that failed by itself or, if the first one was cut off in connecting, of that. */
function lateError(timeoutMs: number, late: Failure, cause: unknown, destination: () => string): ProtocolError {
  const connecting = late.isConnecting ? `not connected to ${destination()}` : undefined;
  const why = isProtocolError(cause) ? `the try before failed: ${cause.message}` : connecting;
  const message = `read error: no answer within ${timeoutMs} ms${why === undefined ? "" : `; ${why}`}`;
  return new ProtocolError("CALL_TIMEOUT", message, { cause: cause ?? late.error });
}
