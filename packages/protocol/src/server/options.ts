import type { ListenOptions } from "@runtara/quic";
import { ProtocolError } from "../errors.ts";
import { limits, serverDefaults } from "../limits.ts";

/**
 * How a server uses the network and what it bears; defaults as in spec 1.12 where it has them. Times have a maximum of
 * 2,147,483,647 ms (24.8 days), the longest timer there is.
 */
export interface ServerTransport {
  /** Handshakes that may be pending at once, from 1. Default 10,000. */
  readonly maxIncoming?: number;
  /** Calls that a client may have under way on one connection; it waits with further ones. From 1, default 1,000. */
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
  /**
   * QUIC: connections and pending handshakes; further clients are refused before they cost a handshake: their
   * CONNECT_FAILED says no more. A wall behind `maxConcurrentHandlers`, so larger than that. Default 0 = any number.
   */
  readonly maxConnections?: number;
  /** QUIC: a handshake that takes longer is given up. Default 10,000; 0 = the idle time-out. */
  readonly handshakeTimeoutMs?: number;
  /** Longest wait for the next byte of a request frame that has begun. Default 30,000; 0 = none. */
  readonly frameReadTimeoutMs?: number;
  /** Calls without an answer, of all connections; further ones are refused as OVERLOADED. Default 100,000; 0 = any number. */
  readonly maxOpenCalls?: number;
  /** Request payloads of the calls without an answer, likewise; a raw stream counts 1 MiB. Default 1 GiB; 0 = any amount. */
  readonly maxBytesInFlight?: number;
  /** The same for each connection. Default 128 MiB; 0 = any amount. A lone call is never refused for its size. */
  readonly maxConnectionBytesInFlight?: number;
  /** Answers of all connections that wait because their clients do not read; over it the connection with the most is closed. Default 1 GiB; 0 = any amount. */
  readonly maxUnsentBytes?: number;
  /** The same for each connection; an answer over it is reset, unless it is the only one. Default 128 MiB; 0 = any amount. */
  readonly maxConnectionUnsentBytes?: number;
  /** Payload of a request frame, 4 KiB to 64 MiB; a larger one is answered BAD_REQUEST. Default 64 MiB. Answers may have 64 MiB. */
  readonly maxFrameBytes?: number;
  /** A call without an answer for so long gets DEADLINE_EXCEEDED, unless it waits on purpose. Default 60,000; 0 = none. */
  readonly requestTimeoutMs?: number;
  /** A raw stream whose client neither sends nor takes a byte for so long is given up. Default 30,000; 0 = none. */
  readonly progressTimeoutMs?: number;
  /** Faults of one kind are reported at most this often, with their number. Default 1,000; 0 = each one. */
  readonly faultIntervalMs?: number;
  /** Listen for HTTP/2 on the same port number (TCP), too. Default false. */
  readonly http2?: boolean;
}

type NumberOption = Exclude<keyof ServerTransport, "http2">;
/** Which variable sets an option, and which values it takes: 0 to 2^32 - 1 unless it says otherwise. */
type OptionForm = { readonly variable?: string; readonly min?: number; readonly max?: number };

const forms: Readonly<Record<NumberOption, OptionForm>> = {
  maxIncoming: { variable: "RUNTARA_QUIC_MAX_INCOMING", min: 1 },
  maxBiStreams: { variable: "RUNTARA_QUIC_MAX_BI_STREAMS", min: 1 },
  maxUniStreams: { variable: "RUNTARA_QUIC_MAX_UNI_STREAMS" },
  idleTimeoutMs: { variable: "RUNTARA_QUIC_IDLE_TIMEOUT_MS", max: limits.timerMsMax },
  keepAliveIntervalMs: { variable: "RUNTARA_QUIC_KEEP_ALIVE_MS", max: limits.timerMsMax },
  udpReceiveBufferBytes: { variable: "RUNTARA_QUIC_UDP_RECV_BUFFER" },
  udpSendBufferBytes: { variable: "RUNTARA_QUIC_UDP_SEND_BUFFER" },
  maxConcurrentHandlers: { variable: "RUNTARA_QUIC_MAX_HANDLERS" },
  maxConnections: { variable: "RUNTARA_QUIC_MAX_CONNECTIONS" },
  handshakeTimeoutMs: { variable: "RUNTARA_QUIC_HANDSHAKE_TIMEOUT_MS", max: limits.timerMsMax },
  maxUnsentBytes: { variable: "RUNTARA_QUIC_MAX_UNSENT_BYTES", max: Number.MAX_SAFE_INTEGER },
  maxConnectionUnsentBytes: {
    variable: "RUNTARA_QUIC_MAX_CONNECTION_UNSENT_BYTES",
    max: Number.MAX_SAFE_INTEGER,
  },
  frameReadTimeoutMs: { variable: "RUNTARA_QUIC_FRAME_READ_TIMEOUT_MS", max: limits.timerMsMax },
  maxOpenCalls: { variable: "RUNTARA_QUIC_MAX_OPEN_CALLS" },
  maxBytesInFlight: { variable: "RUNTARA_QUIC_MAX_BYTES_IN_FLIGHT", max: Number.MAX_SAFE_INTEGER },
  maxConnectionBytesInFlight: {
    variable: "RUNTARA_QUIC_MAX_CONNECTION_BYTES_IN_FLIGHT",
    max: Number.MAX_SAFE_INTEGER,
  },
  maxFrameBytes: {
    variable: "RUNTARA_QUIC_MAX_FRAME_BYTES",
    min: limits.framePayloadBytesMaxMin,
    max: limits.framePayloadBytesMax,
  },
  requestTimeoutMs: { variable: "RUNTARA_QUIC_REQUEST_TIMEOUT_MS", max: limits.timerMsMax },
  progressTimeoutMs: { variable: "RUNTARA_QUIC_PROGRESS_TIMEOUT_MS", max: limits.timerMsMax },
  faultIntervalMs: { max: limits.timerMsMax },
};
const numberOptions = Object.keys(forms) as NumberOption[];

/** Makes the error for a variable with a value that cannot be meant; `form` completes the sentence "must be …". */
export type InvalidVariable = (variable: string, form: string, value: string) => Error;

/**
 * The options that environment variables set: `RUNTARA_QUIC_…` (spec 1.12 and the further limits) and `RUNTARA_HTTP2`.
 * Empty counts as not set. The original takes its default for a value that it cannot read; here the server does not start.
 *
 * @throws ProtocolError OPTION_INVALID with variable, form and value, or what `invalid` makes of them.
 */
export function serverOptionsFromEnv(
  env: Readonly<Record<string, string | undefined>>,
  invalid: InvalidVariable = invalidVariable,
): ServerTransport {
  const options: { -readonly [Name in NumberOption]?: number } & { http2?: boolean } = {};
  for (const name of numberOptions) {
    const { variable } = forms[name];
    const text = variable === undefined ? undefined : env[variable];
    if (variable === undefined || text === undefined || text === "") continue;
    const value = /^\+?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!isValid(name, value)) throw invalid(variable, formText(name), text);
    options[name] = value;
  }
  const http2 = env.RUNTARA_HTTP2 ?? "";
  if (!["", "1", "true", "0", "false"].includes(http2)) throw invalid("RUNTARA_HTTP2", "true, 1, false or 0", http2);
  if (http2 !== "") options.http2 = http2 === "1" || http2 === "true";
  return options;
}

/** Every number of `ServerTransport`, given or default. */
export type ServerNumbers = Readonly<Record<NumberOption, number>>;

/** @throws ProtocolError OPTION_INVALID that names option, form and value. */
export function serverNumbers(options: ServerTransport): ServerNumbers {
  const numbers = {} as Record<NumberOption, number>;
  for (const name of numberOptions) {
    const value = options[name] ?? serverDefaults[name];
    if (!isValid(name, value)) {
      throw new ProtocolError("OPTION_INVALID", `${name} must be ${formText(name)}, got ${value}`);
    }
    numbers[name] = value;
  }
  return numbers;
}

/** What @runtara/quic wants to know. */
export function listenTransport(numbers: ServerNumbers): Required<Pick<ListenOptions, "transport" | "frame">> {
  const { maxBiStreams, maxFrameBytes, frameReadTimeoutMs, maxConnectionBytesInFlight, ...transport } = numbers;
  return {
    transport: {
      maxIncoming: transport.maxIncoming,
      maxConnections: transport.maxConnections,
      handshakeTimeoutMs: transport.handshakeTimeoutMs,
      maxBidiStreams: maxBiStreams,
      maxUniStreams: transport.maxUniStreams,
      idleTimeoutMs: transport.idleTimeoutMs,
      keepAliveIntervalMs: transport.keepAliveIntervalMs,
      udpReceiveBufferBytes: transport.udpReceiveBufferBytes,
      udpSendBufferBytes: transport.udpSendBufferBytes,
    },
    frame: {
      payloadBytesMax: maxFrameBytes,
      typeMax: limits.frameTypeMax,
      readTimeoutMs: frameReadTimeoutMs,
      // Half-read frames of a connection hold as much as unanswered ones; the largest must find room.
      connectionBufferBytesMax: Math.max(
        maxFrameBytes,
        Math.min(maxConnectionBytesInFlight || limits.uint32Max, limits.uint32Max),
      ),
      endpointUnsentBytesMax: transport.maxUnsentBytes,
      connectionUnsentBytesMax: transport.maxConnectionUnsentBytes,
    },
  };
}

function isValid(name: NumberOption, value: number): boolean {
  const { min = 0, max = limits.uint32Max } = forms[name];
  return Number.isSafeInteger(value) && value >= min && value <= max;
}

function formText(name: NumberOption): string {
  const { min = 0, max = limits.uint32Max } = forms[name];
  return `a whole number from ${min} to ${max}`;
}

function invalidVariable(variable: string, form: string, value: string): ProtocolError {
  const shown = value.length > limits.shownCharactersMax ? `${value.slice(0, limits.shownCharactersMax)}…` : value;
  const message = `invalid value for ${variable}: must be ${form} (got ${JSON.stringify(shown)})`;
  return new ProtocolError("OPTION_INVALID", message);
}
