import type { CertificatePair } from "@runtara/quic";
import { ProtocolError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Protocol, RequestEnvelope, ResponseEnvelope } from "../protocols/protocol.ts";
import { alongside } from "../transport/alongside.ts";
import { http2Transport } from "../transport/http2/transport.ts";
import type { BindOptions, Transport } from "../transport/port.ts";
import { quicTransport } from "../transport/quic.ts";
import type { ServerHandlers } from "./handlers.ts";
import type { ServerTransport } from "./options.ts";

export interface ServerOptions<Request extends RequestEnvelope, Response extends ResponseEnvelope>
  extends ServerTransport,
    ServerHandlers<Request, Response> {
  /** `ip:port`, `[v6]:port` or `host:port`; port 0 = a free one. Default 127.0.0.1:0. */
  readonly bindAddr?: string;
  /** What is spoken. Default: the instance protocol. */
  readonly protocol?: Protocol<Request, Response>;
  /** Default: made anew, self-signed, for the name "localhost". `setCertificate` changes it. */
  readonly certificate?: CertificatePair;
  /** Mutual TLS: lets in only clients with a certificate that one of these authorities has signed, PEM. */
  readonly clientCaPem?: string;
  /**
   * 32 secret bytes. Started again at the same address with the same key, a server tells the clients of its earlier life at
   * once that their connections are gone. Default: random, so that they notice after their idle timeout.
   */
  readonly resetKey?: Uint8Array;
  /** The network. Default: QUIC; `memoryTransport()` is one without sockets, for tests. */
  readonly transport?: Transport;
}

/** @throws ProtocolError OPTION_INVALID: `http2` with a transport that is not QUIC. */
export function transportOf({
  transport = quicTransport,
  http2 = false,
}: Pick<ServerTransport & { transport?: Transport }, "transport" | "http2">): Transport {
  if (!http2) return transport;
  if (transport === quicTransport) return alongside(quicTransport, http2Transport);
  throw new ProtocolError("OPTION_INVALID", `http2 is for QUIC servers, but the transport is "${transport.name}"`);
}

/** @throws ProtocolError OPTION_INVALID: the reset key has another length. */
export function identityOf<Request extends RequestEnvelope, Response extends ResponseEnvelope>(
  options: ServerOptions<Request, Response>,
): Pick<BindOptions, "certificate" | "clientCaPem" | "resetKey"> {
  const { certificate, clientCaPem, resetKey } = options;
  if (resetKey !== undefined && resetKey.length !== limits.resetKeyBytes) {
    const message = `resetKey must have ${limits.resetKeyBytes} bytes, got ${resetKey.length}; make them once and keep them`;
    throw new ProtocolError("OPTION_INVALID", message);
  }
  return {
    certificate: certificate ?? "self-signed",
    ...(clientCaPem === undefined ? {} : { clientCaPem }),
    ...(resetKey === undefined ? {} : { resetKey }),
  };
}
