import type {
  CallFault,
  CallOptions,
  CertificatePair,
  ConnectionClosed,
  ConnectOptions,
  EndpointStats,
  Frame,
  ListenOptions,
  PeerCertificate,
  StandIn,
  StandInPace,
} from "@runtara/quic";

// What client and server need of a network. Errors are QuicErrors, whatever the network: their codes are its vocabulary.

/**
 * A way from clients to servers: QUIC, HTTP/2, or memory. Values of `call` and `respond` are whole frames, on streams of their
 * own; streams are back-pressured.
 */
export interface Transport {
  readonly name: string;
  /**
   * Connects to one address. Aborting `signal` ends the attempt at once.
   *
   * @throws QuicError CONNECT_TIMEOUT, CONNECT_FAILED, CALL_ABORTED, TLS_FAILED and the other TLS_ codes, and the codes
   *   of options that cannot be used.
   */
  dial(options: DialOptions): Promise<TransportConnection>;
  /**
   * Takes an address, port 0 = a free one. It is taken when this resolves.
   *
   * @throws QuicError BIND_FAILED, CERTIFICATE_INVALID.
   */
  listen(options: BindOptions, handlers: TransportHandlers): Promise<TransportListener>;
}

export type DialOptions = ConnectOptions;
export type BindOptions = ListenOptions & {
  /** Connections are numbered from here on, for listeners whose connections are mixed (`alongside`); QUIC starts at 0. */
  readonly connectionIdsFrom?: number;
};

/** What is known of one connection; what the network cannot tell is undefined. */
export interface LinkStats {
  /** Where the peer is now: over QUIC it may move. */
  readonly remoteAddress: string;
  readonly rttUs?: number | undefined;
  readonly congestionWindowBytes?: number | undefined;
  readonly bytesSent?: number | undefined;
  readonly bytesReceived?: number | undefined;
  readonly packetsSent?: number | undefined;
  readonly packetsLost?: number | undefined;
  /** Client: calls without an answer yet; server: calls that are not ended yet. */
  readonly callsInFlight: number;
}

/** The client's end of a connection. */
export interface TransportConnection {
  /** Name of the transport it really goes over. */
  readonly transportName: string;
  /** `ip:port` of the server. */
  readonly remoteAddress: string;
  readonly isOpen: boolean;
  /** The certificate that the server has shown, verified or not; undefined where there is no TLS. */
  readonly peerCertificate: PeerCertificate | undefined;
  /** Resolves when the connection has ended, however; never rejects. */
  readonly closed: Promise<ConnectionClosed>;
  /**
   * A frame and the end of the stream there, a frame back. Time-out and signal give up the stream, never the connection.
   *
   * @throws QuicError CALL_TIMEOUT, CALL_ABORTED, STREAM_ENDED, STREAM_RESET, FRAME_TYPE_INVALID, FRAME_TOO_LARGE,
   *   CONNECTION_CLOSED, CONNECTION_LOST.
   */
  call(type: number, payload: Uint8Array, options?: CallOptions): Promise<Frame>;
  /** A frame for a server that owes no answer; resolves when it has ended its side, an answer is thrown away. */
  send(type: number, payload: Uint8Array): Promise<void>;
  openStream(): Promise<TransportStream>;
  /** @throws QuicError CONNECTION_CLOSED or CONNECTION_LOST: it has ended. */
  stats(): LinkStats;
  /**
   * Goes on from a fresh local socket, calls and streams stay; only where the network can (QUIC).
   *
   * @throws QuicError BIND_FAILED, CONNECTION_CLOSED, CONNECTION_LOST.
   */
  rebind?(): Promise<void>;
  /**
   * Has the frame sent while the event loop is busy; only where somebody else can send it (QUIC).
   *
   * @throws QuicError FRAME_TYPE_INVALID, FRAME_TOO_LARGE, CONNECTION_CLOSED, CONNECTION_LOST.
   */
  standIn?(type: number, payload: Uint8Array, pace: StandInPace): Pick<StandIn, "sign" | "end">;
  /** Ends every call. Resolves when the server has been told; idempotent. */
  close(code?: number, reason?: string): Promise<void>;
}

/**
 * Bytes in both directions. At most about 1 MiB waits unread in each. The directions of a stream end one by one; over
 * HTTP/2 `reset` ends both at once.
 */
export interface TransportStream {
  /** The next bytes, or undefined after the peer's end. @throws QuicError STREAM_RESET or the connection's end. */
  read(): Promise<Uint8Array | undefined>;
  /** Resolves when there is room for more; the bytes must not change before. @throws QuicError as `read`, CALL_FINISHED. */
  write(bytes: Uint8Array): Promise<void>;
  /** Says that nothing more will be written. */
  finish(): Promise<void>;
  /** Gives up writing; the peer sees the code. */
  reset(code: number): void;
  /** Gives up reading and tells the peer to stop writing. */
  stop(code: number): void;
}

/** Handlers are called synchronously, many in a row. */
export interface TransportHandlers {
  onConnection?(connection: TransportPeer): void;
  onConnectionClosed?(connection: TransportPeer, why: ConnectionClosed): void;
  /** Once per stream whose first frame is whole or has failed. */
  onCall(call: TransportCall): void;
  /** After the last call of a batch. */
  onDrained?(): void;
}

/** The server's end of a connection. */
export interface TransportPeer {
  readonly id: number;
  readonly remoteAddress: string;
  readonly isOpen: boolean;
  /** Who the client has proved to be; undefined unless the listener has `clientCaPem`. */
  readonly peerCertificate: PeerCertificate | undefined;
  /** Free for the server's use. */
  data: unknown;
  /** @throws QuicError CONNECTION_CLOSED: it has ended. */
  stats(): LinkStats;
  close(code?: number, reason?: string): void;
}

/** A stream of a client whose first frame has come, or failed to. End it with one of the last four methods. */
export interface TransportCall {
  readonly connection: TransportPeer;
  readonly fault: CallFault | undefined;
  /** The bad type or length, or the reset code. */
  readonly faultDetail: number;
  readonly type: number;
  readonly payload: Uint8Array;
  /** The connection has gone or, with `onAborted` set, nobody waits for the answer. */
  readonly isAborted: boolean;
  onAborted: (() => void) | undefined;
  respond(type: number, payload: Uint8Array): void;
  finish(): void;
  reset(code: number): void;
  stream(): TransportStream;
}

export type TransportStats = Pick<
  EndpointStats,
  "connections" | "openCalls" | "openStreams" | "callsReceived" | "udpReceiveBufferBytes" | "udpSendBufferBytes"
> &
  Partial<TurnedAway>;

/** What a network has turned away by itself since it began, as far as it counts that. */
export type TurnedAway = Pick<EndpointStats, "connectionsRefused" | "answersRefused" | "connectionsShed">;

export interface TransportListener {
  readonly host: string;
  readonly port: number;
  /** PEM; empty where there is no TLS. */
  readonly certificatePem: string;
  /**
   * Shows another certificate in the handshakes that begin from now on.
   *
   * @throws QuicError CERTIFICATE_INVALID (the old one stays), ENDPOINT_CLOSED.
   */
  setCertificate(certificate: CertificatePair): void;
  /** Closes every connection; answers given before still leave. Idempotent. */
  close(code?: number, reason?: string): Promise<void>;
  ref(): void;
  unref(): void;
  stats(): TransportStats;
}
