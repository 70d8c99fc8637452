export { create, fromJson, toJson } from "@bufbuild/protobuf";
export type { ConnectionClosed } from "@runtara/quic";
export { type Address, formatAddress, parseAddress } from "./address.ts";
export type { RetryingCallOptions } from "./client/call-with-retry.ts";
export { type ClientOptions, QuicClient } from "./client/client.ts";
export { type CallOptions, ClientConnection } from "./client/connection.ts";
export { type RetryPolicy, retryDelayMs } from "./client/retry.ts";
export { openStream, type RpcStream } from "./client/rpc-stream.ts";
export { type RequestTarget, request, sendRequest } from "./client/send-request.ts";
export { decodeResponse, encodeError, encodeRequest, encodeResponse, type ResponseMessage } from "./envelopes.ts";
export {
  isProtocolError,
  ProtocolError,
  type ProtocolErrorCode,
  type ProtocolErrorDetails,
  type TlsErrorCode,
} from "./errors.ts";
export { decodeFrame, decodeFrameHeader, encodeFrame, type Frame, frameType } from "./frames.ts";
export * as environment from "./gen/runtara/environment/environment_pb.ts";
export * as instance from "./gen/runtara/instance/instance_pb.ts";
export * as management from "./gen/runtara/management/management_pb.ts";
export { clientDefaults, limits, retryDefaults, serverDefaults } from "./limits.ts";
export type { Answer, RequestMessage } from "./protocols/calls.ts";
export { environmentProtocol } from "./protocols/environment.ts";
export { instanceProtocol } from "./protocols/instance.ts";
export { managementProtocol } from "./protocols/management.ts";
export type { Protocol, RequestEnvelope, RequestOf, ResponseEnvelope, ResponseOf } from "./protocols/protocol.ts";
export { type FrameFault, type ReadResult, type ReceivedFrame, readRequest } from "./read-request.ts";
export { ServerCall } from "./server/call.ts";
export { ServerConnection } from "./server/connection.ts";
export type { ServerFault } from "./server/faults.ts";
export { type ServerTransport, serverOptionsFromEnv } from "./server/options.ts";
export { type ServeContext, type Served, type ServeOptions, type Service, serve } from "./server/serve.ts";
export { QuicServer, type ServerHandlers, type ServerOptions } from "./server/server.ts";
export { memoryTransport } from "./transport/memory/transport.ts";
export type { Transport, TransportStream as QuicStream } from "./transport/port.ts";
export { quicTransport } from "./transport/quic.ts";
export { decodeMessage } from "./wire/decode.ts";
export { encodeMessage } from "./wire/encode.ts";
