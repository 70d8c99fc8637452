import { setTimeout as sleep } from "node:timers/promises";
import type { Message } from "@bufbuild/protobuf";
import { encodeRequest } from "../envelopes.ts";
import { isProtocolError, ProtocolError } from "../errors.ts";
import { type Answer, callShape, type RequestMessage } from "../protocols/calls.ts";
import type { CallOptions, ClientConnection } from "./connection.ts";
import { type RetryPolicy, retryDelayMs } from "./retry.ts";
import { connected, exchange } from "./send-request.ts";

export interface RetryingCallOptions extends CallOptions {
  /** For this call alone; false = it is sent once. */
  readonly retry?: RetryPolicy | false | undefined;
}

interface Settings extends RetryingCallOptions {
  readonly requestTimeoutMs: number;
}

interface Target {
  readonly isConnected: boolean;
  /** How often it was closed: what a call has begun before is not connected again. */
  readonly closeCount: number;
  connect(): Promise<ClientConnection>;
}

type Try = { readonly answer: Message | undefined } | { readonly error: unknown; readonly mayHaveArrived: boolean };

/** For QuicClient. */
export async function callWithRetry<M extends RequestMessage>(
  target: Target,
  request: M,
  settings: Settings,
): Promise<Answer<M>> {
  const shape = callShape(request);
  const payload = encodeRequest(request);
  const timeoutMs = settings.timeoutMs ?? (shape.waits ? 0 : settings.requestTimeoutMs);
  if (!(timeoutMs >= 0)) {
    throw new ProtocolError("OPTION_INVALID", `timeoutMs must be a number of milliseconds from 0, got ${timeoutMs}`);
  }
  const deadline = timeoutMs > 0 ? performance.now() + timeoutMs : Number.POSITIVE_INFINITY;
  const { closeCount } = target;
  let cause: unknown;
  for (let number = 1; ; number++) {
    const made = await tryOnce(target, request, payload, deadline, settings.signal);
    // The table behind Answer and callShape is one and the same.
    if ("answer" in made) return made.answer as Answer<M>;
    const { error, mayHaveArrived } = made;
    if (isLate(error, settings.signal)) throw lateError(timeoutMs, cause ?? error);
    if (settings.retry === false || !isProtocolError(error)) throw error;
    const { code, fineCode, isRetryable, retryAfterMs } = error;
    const { isIdempotent } = shape;
    const failed = { number, code, isIdempotent, mayHaveArrived, fineCode, isRetryable, retryAfterMs };
    const delayMs = retryDelayMs(failed, Math.random(), settings.retry);
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
    return { error, mayHaveArrived: false };
  }
  const mayHaveArrived = connection.isOpen;
  // Never 0, which would mean no deadline.
  const timeoutMs = deadline === Number.POSITIVE_INFINITY ? 0 : Math.max(1, Math.ceil(deadline - performance.now()));
  try {
    return { answer: await exchange(connection, request, payload, { timeoutMs, ...(signal ? { signal } : {}) }) };
  } catch (error) {
    // What the caller has closed must not come back by itself.
    if (connection.isClosedHere) throw error;
    return { error, mayHaveArrived };
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

function lateError(timeoutMs: number, cause: unknown): ProtocolError {
  return new ProtocolError("CALL_TIMEOUT", `read error: no answer within ${timeoutMs} ms`, { cause });
}
