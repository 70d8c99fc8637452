import { openStream, type RpcStream } from "../client/rpc-stream.ts";
import type { RequestTarget } from "../client/send-request.ts";
import type { ProtocolError } from "../errors.ts";
import type { Answer, RequestMessage } from "../protocols/calls.ts";
import type { ReadBodyOptions } from "./checked-reader.ts";
import { Guard } from "./guard.ts";
import { type ReadableBody, readableBody } from "./readable-body.ts";

/** An answer with raw bytes after it. */
export interface Download<M extends RequestMessage> {
  readonly answer: Answer<M>;
  /** Read it to its end or cancel it, or the stream stays open. */
  readonly body: ReadableBody;
}

/**
 * Sends a request frame and the end of this side, reads the answer, and hands out what comes after it. Signal and
 * time-out hold from the beginning, connecting and waiting for a free stream included, to the end of the body; the client's
 * `requestTimeoutMs` bounds that waiting, too.
 *
 * @throws ProtocolError as `sendRequest` and `readableBody` do.
 */
export async function downloadStream<M extends RequestMessage>(
  target: RequestTarget,
  request: M,
  options: ReadBodyOptions = {},
): Promise<Download<M>> {
  let stream: RpcStream<M> | undefined;
  let failure: ProtocolError | undefined;
  const over = new AbortController();
  const guard = new Guard(options, (why) => {
    failure = why;
    over.abort(why);
    stream?.abandon(options.stopCode);
  });
  try {
    guard.wait();
    const opened = await openStream(target, request, { signal: over.signal });
    stream = opened;
    guard.wait();
    // A server that has stopped reading may answer all the same.
    opened.finish().catch(() => {});
    const answer = await opened.readResponse();
    const body = readableBody({ read: () => opened.read(), stop: (code) => opened.abandon(code) }, options);
    return { answer, body };
  } catch (error) {
    stream?.abandon(options.stopCode);
    throw failure ?? error;
  } finally {
    guard.end();
  }
}
