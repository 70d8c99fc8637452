import type { CertificatePair, ConnectOptions } from "@runtara/quic";
import { type Address, formatAddress, isLoopback, parseAddress } from "../address.ts";
import { ProtocolError } from "../errors.ts";
import { clientDefaults } from "../limits.ts";
import { autoTransport } from "../transport/auto.ts";
import { http2Transport } from "../transport/http2/transport.ts";
import type { Transport } from "../transport/port.ts";
import { quicTransport } from "../transport/quic.ts";
import { checkCredentials } from "./credentials.ts";
import { type RetryPolicy, retryPolicy } from "./retry.ts";
import { checkTimeMs } from "./time-option.ts";

export interface ClientOptions {
  /** `ip:port`, `[v6]:port` or `host:port`. Default 127.0.0.1:8001. */
  readonly serverAddr?: string;
  /** The name that the server's certificate must carry. Default "localhost". */
  readonly serverName?: string;
  /**
   * Dangerous: accept any certificate, so that anybody on the way can read and change everything. Default: only for a
   * server on loopback for which no trust is configured, with one warning; everywhere else certificates are verified.
   */
  readonly dangerouslySkipVerification?: boolean;
  /** Certificates, PEM, that are trusted instead of the public roots. */
  readonly caPem?: string;
  /** SHA-256 of the server's certificate, 64 hexadecimal digits (colons allowed): this one and no other, whatever its name. */
  readonly serverFingerprint?: string;
  /** Trust the roots of this machine (`SSL_CERT_FILE` and `SSL_CERT_DIR` count) instead of Mozilla's. */
  readonly systemRoots?: boolean;
  /** Shown to a server that asks for a certificate (mutual TLS). */
  readonly certificate?: CertificatePair;
  /** For finding the address and connecting. Default 10,000; 0 = none, though over QUIC the idle time-out ends it. */
  readonly connectTimeoutMs?: number;
  /** Deadline of calls that name none, except those that wait on purpose (sleep). Default 30,000; 0 = none. */
  readonly requestTimeoutMs?: number;
  /** Default 10,000; 0 = off. */
  readonly keepAliveIntervalMs?: number;
  /** The connection counts as lost after this long without a sign of life. Default 30,000; 0 = never. */
  readonly idleTimeoutMs?: number;
  /** Told once if certificates are not verified because the server is on loopback, and when "auto" takes HTTP/2. Default: a process warning. */
  readonly onWarning?: (text: string) => void;
  /**
   * The network. Default "quic". "http2" goes over TCP, needs no addon and a server that listens there; "auto" takes it
   * when QUIC does not get through. `memoryTransport()` is a network without sockets, for tests.
   */
  readonly transport?: "quic" | "http2" | "auto" | Transport;
  /** How `call` and `request` repeat, and how connecting again backs off; false = calls never. Default: up to 4 tries, 50 to 2,000 ms apart. */
  readonly retry?: RetryPolicy | false;
  /** How long `close` waits for acknowledgements of fire-and-forget calls. Default 2,000; 0 = not at all. */
  readonly drainTimeoutMs?: number;
}

const timeOptions = [
  "connectTimeoutMs",
  "requestTimeoutMs",
  "keepAliveIntervalMs",
  "idleTimeoutMs",
  "drainTimeoutMs",
] as const;

/** The options with their defaults; `verify` is undefined where it depends on the address. */
export interface ClientSettings
  extends Required<Pick<ClientOptions, (typeof timeOptions)[number] | "serverName" | "onWarning">> {
  readonly address: Address;
  readonly transport: Transport;
  readonly certificate: CertificatePair | undefined;
  readonly retry: Required<RetryPolicy> | false;
  readonly verify: ConnectOptions["verify"] | undefined;
}

/** @throws ProtocolError ADDRESS_INVALID, OPTION_INVALID, CERTIFICATE_INVALID or SERVER_NAME_INVALID */
export function clientSettings(given: ClientOptions): ClientSettings {
  const options = { onWarning: warnProcess, ...clientDefaults, ...definedOnly(given) };
  const address = parseAddress(options.serverAddr);
  if (address.port === 0) {
    throw new ProtocolError("ADDRESS_INVALID", `connect error: invalid address "${options.serverAddr}": port 0`);
  }
  for (const name of timeOptions) {
    const value = options[name];
    checkTimeMs(name, value);
    if (Number.isInteger(value)) continue;
    throw new ProtocolError("OPTION_INVALID", `${name} must be a whole number of milliseconds, got ${value}`);
  }
  const { certificate } = options;
  const retry = retryPolicy(options.retry);
  const verify = trustOf(options);
  checkCredentials(options);
  const transport = transportOf(options.transport ?? "quic", options.onWarning);
  return { ...options, address, certificate, retry, transport, verify };
}

/** How the server at `ip` is verified. `warn` hears of one that is not, because it is on loopback. */
export function verifyFor(
  settings: ClientSettings,
  ip: string,
  warn: (text: string) => void,
): ConnectOptions["verify"] {
  if (settings.verify !== undefined) return settings.verify;
  if (!isLoopback(ip)) return "roots";
  const server = formatAddress(settings.address);
  warn(
    `the certificate of ${server} is not verified because it is on loopback; set caPem (RUNTARA_CA_FILE) to verify it`,
  );
  return "skip";
}

function trustOf(options: ClientOptions): ConnectOptions["verify"] | undefined {
  const { caPem, serverFingerprint, systemRoots, dangerouslySkipVerification } = options;
  const named = Object.entries({ dangerouslySkipVerification, caPem, serverFingerprint, systemRoots });
  const set = named.filter(([, value]) => value !== undefined && value !== false).map(([name]) => name);
  if (set.length > 1) {
    throw new ProtocolError("OPTION_INVALID", `${set.join(" and ")} exclude each other; leave all but one out`);
  }
  if (caPem !== undefined) return { caPem };
  if (serverFingerprint !== undefined) return { fingerprint: checkedFingerprint(serverFingerprint) };
  if (systemRoots === true) return "system";
  if (dangerouslySkipVerification === undefined) return undefined;
  return dangerouslySkipVerification ? "skip" : "roots";
}

function checkedFingerprint(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text.replaceAll(":", ""))) return text;
  const message = `serverFingerprint ${JSON.stringify(text)} is not a SHA-256; give 64 hexadecimal digits`;
  throw new ProtocolError("OPTION_INVALID", message);
}

function transportOf(given: NonNullable<ClientOptions["transport"]>, warn: (text: string) => void): Transport {
  switch (given) {
    case "quic":
      return quicTransport;
    case "http2":
      return http2Transport;
    case "auto":
      return autoTransport(warn);
    default:
      if (typeof given === "object") return given;
      throw new ProtocolError("OPTION_INVALID", `transport ${JSON.stringify(given)} is none of quic, http2 and auto`);
  }
}

function warnProcess(text: string): void {
  process.emitWarning(text, { code: "RUNTARA_CLIENT" });
}

/** So that `{ serverName: undefined }` means the default, too. */
function definedOnly<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
