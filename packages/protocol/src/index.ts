export { create, fromJson, toJson } from "@bufbuild/protobuf";
export type { ConnectionClosed, PeerCertificate } from "@runtara/quic";
export { type Address, formatAddress, parseAddress } from "./address.ts";
export { type BodyChunks, bodyChunks } from "./bodies/body-chunks.ts";
export type { ReadBodyOptions } from "./bodies/checked-reader.ts";
export { type Download, downloadStream } from "./bodies/download-stream.ts";
export type { BodySource } from "./bodies/pieces.ts";
export { type ReadableBody, readableBody } from "./bodies/readable-body.ts";
export { type UploadOptions, uploadStream } from "./bodies/upload-stream.ts";
export { type WritableBody, type WritableBodyOptions, writableBody } from "./bodies/writable-body.ts";
export type { RetryingCallOptions } from "./client/call-with-retry.ts";
export { type ClientStats, QuicClient } from "./client/client.ts";
export { type CallOptions, ClientConnection, type OpenStreamOptions } from "./client/connection.ts";
export type { LeaseKeeper, LeaseKeeperOptions } from "./client/lease-keeper.ts";
export type { ClientOptions } from "./client/options.ts";
export { type RetryPolicy, retryDelayMs } from "./client/retry.ts";
export { openStream, type RpcStream } from "./client/rpc-stream.ts";
export { type RequestSchema, type RequestTarget, request, sendRequest } from "./client/send-request.ts";
export { decodeResponse, encodeError, encodeRequest, encodeResponse, type ResponseMessage } from "./envelopes.ts";
export { type EnvironmentClient, environmentClient } from "./environment/client.ts";
export { environmentProtocol } from "./environment/protocol.ts";
export {
  type ErrorDetails,
  isProtocolError,
  ProtocolError,
  type ProtocolErrorCode,
  type ProtocolErrorDetails,
  type TlsErrorCode,
} from "./errors.ts";
export {
  type FeatureName,
  Features,
  featureArms,
  featureNames,
  features,
  featuresOf,
  isFeatureName,
  requireFeature,
} from "./features.ts";
export { type FineCode, fineCodes, isFineCode } from "./fine-codes.ts";
export { decodeFrame, decodeFrameHeader, encodeFrame, type Frame, frameType } from "./frames.ts";
export * as environment from "./gen/runtara/environment/environment_pb.ts";
export * as instance from "./gen/runtara/instance/instance_pb.ts";
export * as management from "./gen/runtara/management/management_pb.ts";
export { type InstanceClient, instanceClient } from "./instance/client.ts";
export { instanceProtocol } from "./instance/protocol.ts";
export { clientDefaults, limits, retryDefaults, serverDefaults } from "./limits.ts";
export { type LogJsonOptions, toLogJson } from "./log-json/to-log-json.ts";
export { type ManagementClient, managementClient } from "./management/client.ts";
export { managementProtocol } from "./management/protocol.ts";
export { managementThrough } from "./management/through.ts";
export type { Answer, RequestMessage } from "./protocols/calls.ts";
export type { Protocol, RequestEnvelope, RequestOf, ResponseEnvelope, ResponseOf } from "./protocols/protocol.ts";
export { type Caller, createTypedClient, type TypedCall, type TypedClient } from "./protocols/typed-client.ts";
export { type FrameFault, type ReadResult, type ReceivedFrame, readRequest } from "./read-request.ts";
export { ServerCall } from "./server/call.ts";
export { operationErrorCode } from "./server/call-kinds.ts";
export { ServerConnection } from "./server/connection.ts";
export type { DrainOptions, DrainReport } from "./server/drain.ts";
export { FaultThrottle, type Throttled } from "./server/fault-throttle.ts";
export type { FaultCounts, ServerFault } from "./server/faults.ts";
export type { CallOutcome, ServerHandlers } from "./server/handlers.ts";
export type { ServerOptions } from "./server/listen-options.ts";
export { type InvalidVariable, type ServerTransport, serverOptionsFromEnv } from "./server/options.ts";
export { type Served, type ServeOptions, serve } from "./server/serve.ts";
export type { ServeContext } from "./server/serve-context.ts";
export { QuicServer } from "./server/server.ts";
export type { Service } from "./server/service.ts";
export type { ServerStats } from "./server/stats.ts";
export { respondUnserved } from "./server/unserved.ts";
export { type CertificateOptions, type CertificatePair, generateCertificate } from "./tls/certificates.ts";
export { type ClientCertificateFiles, clientCertificate } from "./tls/client-certificate.ts";
export { type CertificateSummary, certificateBlocks, describeCertificate } from "./tls/describe.ts";
export { keyMatches } from "./tls/pair.ts";
export { type LoadedPemFiles, type PemFiles, pemFiles, readAuthorities } from "./tls/pem-files.ts";
export { resetKeyOf } from "./tls/reset-key.ts";
export {
  readServerIdentity,
  type ServerIdentity,
  type ServerIdentityOptions,
  serverIdentity,
} from "./tls/server-identity.ts";
export { type ServerTls, type ServerTlsOptions, serverTls, type TlsLogger } from "./tls/server-tls.ts";
export { type StopWatching, type WatchOptions, watchPemFiles, watchServerIdentity } from "./tls/watch.ts";
export { alongside } from "./transport/alongside.ts";
export { type AutoOptions, autoTransport } from "./transport/auto.ts";
export { http2Transport } from "./transport/http2/transport.ts";
export { memoryTransport } from "./transport/memory/transport.ts";
export type {
  BindOptions,
  DialOptions,
  LinkStats,
  Transport,
  TransportCall,
  TransportConnection,
  TransportHandlers,
  TransportListener,
  TransportPeer,
  TransportStats,
  TransportStream,
  TransportStream as QuicStream,
  TurnedAway,
} from "./transport/port.ts";
export { quicTransport } from "./transport/quic.ts";
export { decodeMessage } from "./wire/decode.ts";
export { encodeMessage } from "./wire/encode.ts";
