import { loadAddon } from "./load-addon.ts";
import type { FrameOptions, TransportOptions } from "./options.ts";

/** Words of an event record: kind, subject, other, value, code low, code high, offset, length. */
export const eventWords = 8;

/** Words of a command record: operation, subject, offset, length, low, high. */
export const commandWords = 6;

/** The offset of a value that crosses as a buffer of its own. */
export const offsetLarge = 0xffff_ffff;

/** The numbers are those of `EventKind` in native/src/events.rs. */
export const eventKind = {
  listening: 1,
  connected: 2,
  endpointFailed: 3,
  endpointClosed: 4,
  connectionOpened: 5,
  connectionClosed: 6,
  call: 7,
  callFault: 8,
  callAborted: 9,
  answer: 10,
  callFailed: 11,
  sent: 12,
  streamOpened: 13,
  streamData: 14,
  streamEnd: 15,
  streamReadFailed: 16,
  streamWritten: 17,
  streamWriteFailed: 18,
  streamFinished: 19,
} as const;

/** The numbers are those of `Operation` in native/src/command.rs. */
export const operation = {
  respond: 1,
  finish: 2,
  reset: 3,
  watch: 4,
  upgrade: 5,
  streamWrite: 6,
  streamFinish: 7,
  streamReset: 8,
  streamStop: 9,
  streamCredit: 10,
  call: 11,
  send: 12,
  openStream: 13,
  cancel: 14,
  connectionClose: 15,
  endpointClose: 16,
  rebind: 17,
} as const;

/** One native endpoint. It closes when it is collected. */
export type Handle = { readonly __native: unique symbol };

export interface NativeListenOptions {
  readonly host: string;
  readonly port: number;
  readonly certPem: string;
  readonly keyPem: string;
  readonly clientCaPem?: string | undefined;
  readonly resetKey?: string | undefined;
  readonly transport: TransportOptions;
  readonly frame: FrameOptions;
}

export interface NativeConnectOptions {
  readonly host: string;
  readonly port: number;
  readonly serverName: string;
  readonly verify: string;
  readonly certPem?: string | undefined;
  readonly keyPem?: string | undefined;
  readonly connectTimeoutMs: number;
  readonly isResuming: boolean;
  readonly transport: TransportOptions;
  readonly frame: FrameOptions;
}

/** What an endpoint has now, and what a listener has turned away since it began. */
export interface EndpointStats {
  readonly connections: number;
  readonly openCalls: number;
  readonly openStreams: number;
  readonly callsReceived: number;
  readonly udpReceiveBufferBytes: number;
  readonly udpSendBufferBytes: number;
  readonly pendingHandshakes: number;
  /** Bytes that half-read frames hold or have reserved, without those that wait for room. */
  readonly bufferedBytes: number;
  /** Over `maxConnections`; each was told so. */
  readonly connectionsRefused: number;
  /** First packets over `maxIncoming`, left unanswered. */
  readonly handshakesDropped: number;
  /** Clients that were asked to prove their address first. */
  readonly handshakesRetried: number;
  /** Over `handshakeTimeoutMs`, or silent for the idle time-out. */
  readonly handshakesTimedOut: number;
  /** For any other reason, such as a certificate that one side refused. */
  readonly handshakesFailed: number;
  /** Frames that found no room (`BUFFER_EXHAUSTED`). */
  readonly framesRefused: number;
  /** Bytes of answers that wait because their clients take too little. */
  readonly unsentBytes: number;
  /** Answers over `connectionUnsentBytesMax`, each reset. */
  readonly answersRefused: number;
  /** Connections that were closed because of `endpointUnsentBytesMax`. */
  readonly connectionsShed: number;
}

/** One connection as QUIC sees it now. */
export interface ConnectionStats {
  /** Where the peer is now; it changes when the peer migrates. */
  readonly remoteAddress: string;
  readonly rttUs: number;
  readonly congestionWindowBytes: number;
  /** UDP payload bytes. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly packetsSent: number;
  readonly packetsLost: number;
  /** Client: calls without an answer yet; server: calls that are not ended yet. */
  readonly callsInFlight: number;
}

export interface NativeCertificateOptions {
  readonly names: string[];
  readonly usage: string;
  readonly notAfterMs: number;
  readonly issuerCertPem?: string | undefined;
  readonly issuerKeyPem?: string | undefined;
}

/** The functions of native/src/bridge.rs, in its order. */
export interface Native {
  generateSelfSigned(names: string[]): [certPem: string, keyPem: string];
  generateCertificate(options: NativeCertificateOptions): [certPem: string, keyPem: string];
  serverListen(options: NativeListenOptions, ready: () => void): Handle;
  serverSetCertificate(handle: Handle, certPem: string, keyPem: string): boolean;
  clientConnect(options: NativeConnectOptions, ready: () => void): Handle;
  endpointSubmit(
    handle: Handle,
    records: Uint32Array,
    count: number,
    slab: Uint8Array,
    slabBytes: number,
    large: Uint8Array[] | null,
  ): void;
  endpointDrain(handle: Handle, records: Uint8Array): Buffer | null;
  endpointTakeLarge(handle: Handle): Buffer;
  endpointStats(handle: Handle): EndpointStats;
  connectionStats(handle: Handle, connection: number): ConnectionStats | null;
  connectionStandIn(
    handle: Handle,
    type: number,
    payload: Uint8Array | null,
    everyMs: number,
    quietMs: number,
    stopMs: number,
  ): boolean;
  connectionSign(handle: Handle): void;
  endpointDispose(handle: Handle): void;
}

let loaded: Native | undefined;

/**
 * The addon, loaded on first use (see load-addon.ts for where it is looked for).
 *
 * @throws QuicError ADDON_MISSING
 */
export function native(): Native {
  loaded ??= loadAddon() as Native;
  return loaded;
}
