import type { OpenStreamOptions } from "../client/connection.ts";
import { openStream, type RpcStream } from "../client/rpc-stream.ts";
import type { RequestTarget } from "../client/send-request.ts";
import { checkTimeMs } from "../client/time-option.ts";
import { isProtocolError, ProtocolError } from "../errors.ts";
import type { Answer, RequestMessage } from "../protocols/calls.ts";
import { Guard, type GuardOptions } from "./guard.ts";
import { type BodyReader, type BodySource, readPieces } from "./pieces.ts";
import { type BodyExpectation, Tally } from "./tally.ts";

export interface UploadOptions extends BodyExpectation, GuardOptions {
  /** After each piece that the network has taken (256 KiB or less): the bytes so far. */
  readonly onProgress?: ((sentBytes: number) => void) | undefined;
  /**
   * Longest wait for a free stream, and then from the end of the body to the answer, in milliseconds; CALL_TIMEOUT. 0 =
   * none. Default: the client's `requestTimeoutMs` for the stream, none for the answer.
   */
  readonly timeoutMs?: number | undefined;
  /** What the server sees when the upload is given up or the body is not as expected. Default 0. */
  readonly resetCode?: number | undefined;
}

/**
 * Sends a request frame, the raw bytes of `body` and the end of the stream, and returns the answer (spec 2.4). Never
 * more than about 1 MiB of the body waits here. A server that answers early is heard, and the rest of the body is not
 * sent. Sent once, never repeated. Aborting is safe: the server sees a reset, never a shorter body. A body that is not
 * read to its end is cancelled.
 *
 * @throws ProtocolError as `sendRequest` does; BODY_LENGTH_WRONG, BODY_CHECKSUM_WRONG; CALL_ABORTED by the signal, or
 *   with the body's own error as cause; CALL_TIMEOUT; ENCODE_FAILED for a body that is not of bytes.
 */
export async function uploadStream<M extends RequestMessage>(
  target: RequestTarget,
  request: M,
  body: BodySource,
  options: UploadOptions = {},
): Promise<Answer<M>> {
  const source = readPieces(body);
  const failed = Promise.withResolvers<never>();
  // It may fail when nobody waits for it any more.
  failed.promise.catch(() => {});
  let guard: Guard | undefined;
  let failure: unknown;
  try {
    checkTimeMs("timeoutMs", options.timeoutMs ?? 0);
    const tally = new Tally(options);
    const over = new AbortController();
    guard = new Guard(options, (why) => {
      failed.reject(why);
      over.abort(why);
    });
    guard.wait();
    const stream = await opened(target, request, { signal: over.signal, timeoutMs: options.timeoutMs });
    guard.progress();
    try {
      return await exchange(stream, send(stream, source, tally, guard, options), failed, options.timeoutMs ?? 0);
    } finally {
      stream.abandon(options.resetCode);
    }
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    guard?.end();
    source.cancel(failure);
  }
}

/** An abort by the guard is the guard's failure. */
async function opened<M extends RequestMessage>(
  target: RequestTarget,
  request: M,
  options: OpenStreamOptions & { readonly signal: AbortSignal },
): Promise<RpcStream<M>> {
  try {
    return await openStream(target, request, options);
  } catch (error) {
    throw options.signal.aborted ? options.signal.reason : error;
  }
}

/** The answer, whether it comes after the body or in the middle of it. */
async function exchange<M extends RequestMessage>(
  stream: RpcStream<M>,
  sending: Promise<void>,
  failed: PromiseWithResolvers<never>,
  timeoutMs: number,
): Promise<Answer<M>> {
  const answer = stream.readResponse();
  // Whichever of them loses a race has nobody to tell.
  answer.catch(() => {});
  const sent = sending.catch((error: unknown) => {
    // The server wants no more; it has answered, or the reading tells why not.
    if (!isProtocolError(error) || error.code !== "STREAM_RESET") throw error;
  });
  sent.catch(() => {});
  await Promise.race([failed.promise, answer, sent]);
  const timer = timeoutMs > 0 ? setTimeout(() => failed.reject(noAnswer(timeoutMs)), timeoutMs) : undefined;
  try {
    return await Promise.race([failed.promise, answer]);
  } finally {
    clearTimeout(timer);
  }
}

async function send<M extends RequestMessage>(
  stream: RpcStream<M>,
  source: BodyReader,
  tally: Tally,
  guard: Guard,
  { onProgress }: UploadOptions,
): Promise<void> {
  for (let piece = await next(source, tally); piece !== undefined; piece = await next(source, tally)) {
    tally.add(piece);
    guard.wait();
    await stream.write(piece);
    guard.progress();
    onProgress?.(tally.bytes);
  }
  tally.end();
  guard.wait();
  await stream.finish();
  guard.progress();
}

async function next(source: BodyReader, tally: Tally): Promise<Uint8Array | undefined> {
  try {
    return await source.next();
  } catch (cause) {
    if (isProtocolError(cause)) throw cause;
    const message = `read error: the body broke off after ${tally.bytes} bytes: ${String(cause)}`;
    throw new ProtocolError("CALL_ABORTED", message, { cause });
  }
}

function noAnswer(timeoutMs: number): ProtocolError {
  return new ProtocolError("CALL_TIMEOUT", `read error: no answer within ${timeoutMs} ms after the body`);
}
