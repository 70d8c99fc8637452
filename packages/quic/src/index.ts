export { IncomingCall } from "./call.ts";
export {
  type AlternativeName,
  alternativeNames,
  type CertificateOptions,
  type CertificatePair,
  certificateFingerprint,
  generateCertificate,
  generateSelfSigned,
  type PeerCertificate,
  peerCertificate,
} from "./certificate.ts";
export { type CallOptions, type ConnectOptions, connect, type Frame, QuicConnection } from "./client.ts";
export {
  type CallFault,
  type ConnectionClosed,
  neverSent,
  QuicError,
  type QuicErrorCode,
  type QuicErrorDetails,
} from "./errors.ts";
export type { ConnectionStats, EndpointStats } from "./native.ts";
export type { FrameOptions, TransportOptions } from "./options.ts";
export { type ListenHandlers, type ListenOptions, listen, QuicListener } from "./server.ts";
export { ServerConnection } from "./server-connection.ts";
export type { StandIn, StandInPace } from "./stand-in.ts";
export { QuicStream } from "./stream.ts";
export type { Verify } from "./verify.ts";
