import { QuicError } from "./errors.ts";
import { limits } from "./limits.ts";

/** QUIC transport parameters; 0 means off, or what the OS has. */
export interface TransportOptions {
  /** Default: 120,000 on servers, 30,000 on clients; the smaller of both peers' values counts. */
  readonly idleTimeoutMs: number;
  /** Default: 15,000 on servers, 10,000 on clients. */
  readonly keepAliveIntervalMs: number;
  /** How many bidirectional streams the peer may have open: 1,000 on servers, of which 100 at first; 100 on clients. */
  readonly maxBidiStreams: number;
  /** Default: 100. */
  readonly maxUniStreams: number;
  /** Servers: pending handshakes, 10,000; further ones go unanswered until there is room, so 0 lets nobody in. */
  readonly maxIncoming: number;
  /** Servers: connections, pending handshakes included; further ones are refused at once. Default: 0, any number. */
  readonly maxConnections: number;
  /**
   * Servers: from so many pending handshakes on, a client must prove its address before it takes memory, which costs it a
   * round trip (Retry, RFC 9000 section 8.1.2). Default: 1,000; 0: never.
   */
  readonly retryFromIncoming: number;
  /** Servers: how long a handshake may take; default: 10,000; 0: the idle time-out. */
  readonly handshakeTimeoutMs: number;
  /**
   * What may lie unread on all streams of a connection, beside 1.25 MB on each; default: 256 MiB; 0: any number. Streams
   * that nobody reads use it up, and then the others of their connection wait.
   */
  readonly receiveWindowBytes: number;
  /** Asked of the OS, which may grant less (see `stats()`): 2 MiB each. */
  readonly udpReceiveBufferBytes: number;
  readonly udpSendBufferBytes: number;
}

/** Limits of the frames an endpoint reads and writes. */
export interface FrameOptions {
  /** Default: 64 MiB. */
  readonly payloadBytesMax: number;
  /** Types 1 to this are valid; default: 6. */
  readonly typeMax: number;
  /** How long a started frame may go without a new byte; default: 30,000; 0: for ever. */
  readonly readTimeoutMs: number;
  /** What the half-read frames of one connection that are larger than 64 KiB may hold together; default: 128 MiB. */
  readonly connectionBufferBytesMax: number;
  /**
   * What the half-read frames of all connections of an endpoint may hold together; default: 1 GiB. Half of it is for
   * frames above 64 KiB, an eighth for smaller ones, the rest for the large ones that wait for room: so half of it should
   * have room for the largest payload. A frame that finds no room is a `BUFFER_EXHAUSTED`.
   */
  readonly endpointBufferBytesMax: number;
  /**
   * Servers: answers of one connection that wait because its client takes too little; default: 128 MiB; 0: any number. An
   * answer over it is reset with code 2, unless it is the only one; the other streams go on.
   */
  readonly connectionUnsentBytesMax: number;
  /**
   * Servers: the same for all connections together; default: 1 GiB; 0: any number. Over it the connection that holds most
   * is closed with code 2. Beside this QUIC itself keeps up to 10 MB a connection that is sent and not acknowledged.
   */
  readonly endpointUnsentBytesMax: number;
}

export const frameDefaults: FrameOptions = {
  payloadBytesMax: limits.framePayloadBytesMax,
  typeMax: limits.frameTypeMax,
  readTimeoutMs: limits.readTimeoutMs,
  connectionBufferBytesMax: limits.connectionBufferBytesMax,
  endpointBufferBytesMax: limits.endpointBufferBytesMax,
  connectionUnsentBytesMax: limits.connectionUnsentBytesMax,
  endpointUnsentBytesMax: limits.endpointUnsentBytesMax,
};

export function withDefaults<T extends object>(defaults: T, given: Partial<T> | undefined): T {
  const options = { ...defaults };
  for (const key in given) {
    const value = given[key];
    if (value !== undefined) options[key] = value;
  }
  return options;
}

/** @throws QuicError ADDRESS_INVALID */
export function checkAddress(host: string, port: number): void {
  if (host === "" || host.includes("\0"))
    throw new QuicError("ADDRESS_INVALID", `host ${JSON.stringify(host)} is not an address`);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new QuicError("ADDRESS_INVALID", `port ${port} is not a whole number from 0 to 65535`);
  }
}

/** @throws QuicError FRAME_TYPE_INVALID or FRAME_TOO_LARGE */
export function checkFrame(options: FrameOptions, type: number, payload: Uint8Array): void {
  if (!(type >= 1 && type <= options.typeMax) || (type | 0) !== type) {
    throw new QuicError("FRAME_TYPE_INVALID", `frame type ${type} is not a whole number from 1 to ${options.typeMax}`);
  }
  if (payload.length > options.payloadBytesMax) {
    const message = `payload of ${payload.length} bytes is over the limit of ${options.payloadBytesMax}; split it`;
    throw new QuicError("FRAME_TOO_LARGE", message);
  }
}

/** A close or reset code as two words. */
export function codeWords(code: number): [low: number, high: number] {
  if (!Number.isInteger(code) || code < 0 || code > limits.codeMax) {
    throw new RangeError(`code ${code} is not a whole number from 0 to ${limits.codeMax}`);
  }
  return [code >>> 0, Math.floor(code / 0x1_0000_0000)];
}
