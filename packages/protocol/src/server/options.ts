import type { ListenOptions } from "@runtara/quic";
import { ProtocolError } from "../errors.ts";
import { limits, serverDefaults } from "../limits.ts";

/** How a server uses the network; defaults as in spec 1.12. */
export interface ServerTransport {
  /** Handshakes that may be pending at once. Default 10,000. */
  readonly maxIncoming?: number;
  /** Calls that a client may have under way on one connection. Default 1,000. */
  readonly maxBiStreams?: number;
  /** Default 100; such streams are never read. */
  readonly maxUniStreams?: number;
  /** Default 120,000; 0 = never. The smaller value of client and server counts. */
  readonly idleTimeoutMs?: number;
  /** Default 15,000; 0 = off. */
  readonly keepAliveIntervalMs?: number;
  /** Size of the socket's receive buffer to ask for. Default 2 MiB; 0 = the system's. */
  readonly udpReceiveBufferBytes?: number;
  /** Size of the socket's send buffer to ask for. Default 2 MiB; 0 = the system's. */
  readonly udpSendBufferBytes?: number;
  /** Connections that are served at once; further ones are closed with the reason. Default 0 = any number. */
  readonly maxConcurrentHandlers?: number;
  /** From the first byte of a request frame to its last. Default 30,000; 0 = none. */
  readonly frameReadTimeoutMs?: number;
}

const variables: Readonly<Record<string, keyof ServerTransport>> = {
  RUNTARA_QUIC_MAX_INCOMING: "maxIncoming",
  RUNTARA_QUIC_MAX_BI_STREAMS: "maxBiStreams",
  RUNTARA_QUIC_MAX_UNI_STREAMS: "maxUniStreams",
  RUNTARA_QUIC_IDLE_TIMEOUT_MS: "idleTimeoutMs",
  RUNTARA_QUIC_KEEP_ALIVE_MS: "keepAliveIntervalMs",
  RUNTARA_QUIC_UDP_RECV_BUFFER: "udpReceiveBufferBytes",
  RUNTARA_QUIC_UDP_SEND_BUFFER: "udpSendBufferBytes",
  RUNTARA_QUIC_MAX_HANDLERS: "maxConcurrentHandlers",
};

/** The RUNTARA_QUIC_ variables (spec 1.12). As in the original, a value that is no whole number counts as not set. */
export function serverOptionsFromEnv(env: Readonly<Record<string, string | undefined>>): ServerTransport {
  const options: { -readonly [Name in keyof ServerTransport]: number } = {};
  for (const [variable, name] of Object.entries(variables)) {
    const text = env[variable] ?? "";
    if (/^\+?\d+$/.test(text) && Number.isSafeInteger(Number(text))) options[name] = Number(text);
  }
  return options;
}

/** What @runtara/quic wants to know. */
export function listenTransport(options: ServerTransport): Required<Pick<ListenOptions, "transport" | "frame">> {
  const value = (name: keyof ServerTransport): number => {
    const given = options[name] ?? serverDefaults[name];
    if (Number.isSafeInteger(given) && given >= 0) return given;
    throw new ProtocolError("OPTION_INVALID", `${name} must be a whole number from 0, got ${given}`);
  };
  return {
    transport: {
      maxIncoming: value("maxIncoming"),
      maxBidiStreams: value("maxBiStreams"),
      maxUniStreams: value("maxUniStreams"),
      idleTimeoutMs: value("idleTimeoutMs"),
      keepAliveIntervalMs: value("keepAliveIntervalMs"),
      udpReceiveBufferBytes: value("udpReceiveBufferBytes"),
      udpSendBufferBytes: value("udpSendBufferBytes"),
    },
    frame: {
      payloadBytesMax: limits.framePayloadBytesMax,
      typeMax: limits.frameTypeMax,
      readTimeoutMs: value("frameReadTimeoutMs"),
    },
  };
}
