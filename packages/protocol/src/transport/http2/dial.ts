import { type ClientHttp2Session, connect } from "node:http2";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { QuicError } from "@runtara/quic";
import { formatAddress } from "../../address.ts";
import { limits } from "../../limits.ts";
import type { DialOptions } from "../port.ts";
import { Http2Connection } from "./connection.ts";
import { farewellOf } from "./goaway.ts";
import { sessionOptions } from "./session-options.ts";
import { connectError } from "./tls-errors.ts";
import { checkPin, trustOptions } from "./trust.ts";

/** @throws QuicError as the port's `dial` */
export async function dial(options: DialOptions): Promise<Http2Connection> {
  const { host, port, connectTimeoutMs, signal } = options;
  const trust = trustOptions(options);
  if (signal?.aborted === true) throw abortedError(signal);
  const socket = connectTls({ host, port, ALPNProtocols: ["h2"], ...trust });
  const given = Promise.withResolvers<never>();
  const timer =
    connectTimeoutMs > 0
      ? setTimeout(() => {
          const message = `no HTTP/2 connection to ${formatAddress(options)} within ${connectTimeoutMs} ms`;
          given.reject(new QuicError("CONNECT_TIMEOUT", message));
        }, connectTimeoutMs)
      : undefined;
  const abort = (): void => given.reject(abortedError(signal));
  signal?.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([connected(socket, options), given.promise]);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

async function connected(socket: TLSSocket, options: DialOptions): Promise<Http2Connection> {
  socket.setNoDelay(true);
  const failed = Promise.withResolvers<never>();
  socket.on("error", (error) => failed.reject(connectError(error)));
  socket.once("close", () =>
    failed.reject(new QuicError("CONNECT_FAILED", "the server has closed the TCP connection")),
  );
  failed.promise.catch(() => {});
  await Promise.race([new Promise<void>((resolve) => socket.once("secureConnect", resolve)), failed.promise]);
  checkPin(options, socket);
  if (socket.alpnProtocol !== "h2") {
    const message = `the server at ${formatAddress(options)} does not speak HTTP/2 there`;
    throw new QuicError("CONNECT_FAILED", message);
  }
  const remoteAddress = formatAddress({ host: socket.remoteAddress ?? options.host, port: options.port });
  const session = connect(`https://${authorityOf(options)}`, { ...sessionOptions(0), createConnection: () => socket });
  await Promise.race([welcome(session), failed.promise]);
  return new Http2Connection(session, socket, options, remoteAddress);
}

/**
 * The server's settings. In TLS 1.3 it judges our certificate only when for us the handshake is over; if it refuses it,
 * the reason comes in the same breath as the settings.
 */
async function welcome(session: ClientHttp2Session): Promise<void> {
  const refused = Promise.withResolvers<never>();
  refused.promise.catch(() => {});
  session.on("error", (error) => refused.reject(connectError(error)));
  session.on("goaway", (code, _, text) => {
    const farewell = farewellOf(text);
    if (farewell?.is === "refuse") refused.reject(farewell.error);
    const reason = farewell?.is === "close" ? farewell.reason : `HTTP/2 error ${code}`;
    refused.reject(new QuicError("CONNECT_FAILED", `the server has closed the connection: ${reason}`));
  });
  await Promise.race([
    new Promise<void>((resolve) => session.once("remoteSettings", () => resolve())),
    refused.promise,
  ]);
  await Promise.race([new Promise<void>((resolve) => setImmediate(resolve)), refused.promise]);
  session.setLocalWindowSize(limits.http2ConnectionWindowBytes);
}

function authorityOf({ serverName, port }: DialOptions): string {
  return formatAddress({ host: serverName, port });
}

function abortedError(signal: AbortSignal | undefined): QuicError {
  return new QuicError("CALL_ABORTED", "the attempt to connect was aborted", { cause: signal?.reason });
}
