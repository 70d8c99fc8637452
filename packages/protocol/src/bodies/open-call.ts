import type { ClientConnection } from "../client/connection.ts";
import { openStream, type RpcStream } from "../client/rpc-stream.ts";
import { connected, type RequestTarget } from "../client/send-request.ts";
import { ProtocolError } from "../errors.ts";
import type { RequestMessage } from "../protocols/calls.ts";

/**
 * `openStream` that a signal can end, while it connects or waits for one of the server's streams. One that opens
 * afterwards is given up.
 */
export async function openCall<M extends RequestMessage>(
  target: RequestTarget,
  request: M,
  signal: AbortSignal | undefined,
): Promise<RpcStream<M>> {
  const connection = await connected(target, signal);
  return signal ? await unlessAborted(connection, request, signal) : await openStream(connection, request);
}

async function unlessAborted<M extends RequestMessage>(
  connection: ClientConnection,
  request: M,
  signal: AbortSignal,
): Promise<RpcStream<M>> {
  const aborted = Promise.withResolvers<never>();
  const opening = openStream(connection, request);
  const abort = (): void => {
    const message = "read error: aborted while the stream was opened";
    aborted.reject(new ProtocolError("CALL_ABORTED", message, { cause: signal.reason }));
    opening.then(
      (stream) => stream.abandon(),
      () => {},
    );
  };
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([aborted.promise, opening]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
