import type { DescMessage } from "@bufbuild/protobuf";
import { isProtocolError } from "../errors.ts";
import type { FeatureName } from "../features.ts";
import { limits } from "../limits.ts";
import type { Protocol } from "../protocols/protocol.ts";

/** What a server must know of an operation to judge its calls. */
export interface CallKind {
  /** Member of the request oneof. */
  readonly operation: string;
  /** Of an extension, the feature that it belongs to. */
  readonly feature: FeatureName | undefined;
  /** Optional fields of its request that are extensions. */
  readonly extensionFields: readonly string[];
  /** The outer code of its errors (spec 2.2). */
  readonly errorCode: string;
  /** Otherwise the end of the stream says that it was carried out. */
  readonly isAnswered: boolean;
  /** Answered late on purpose: no request deadline. */
  readonly waits: boolean;
  readonly isIdempotent: boolean;
  /** Holds a whole call of the management protocol, which decides whether it waits and may be repeated. */
  readonly isCarrier: boolean;
  /** Carried out whatever the load. */
  readonly isAcknowledgement: boolean;
}

/**
 * A client of 1.4.1 never learns that one was refused, so it would be lost: the server would deliver the signal again to an
 * instance that has obeyed it. It is a few bytes and one write, and relieves the server of a pending signal.
 */
const acknowledgements: ReadonlySet<string> = new Set(["signalAck"]);

/** The kinds of a protocol's calls by operation. */
export function callKinds(
  protocol: Pick<Protocol, "requestSchema" | "answers" | "waiting" | "idempotent" | "extensions">,
): ReadonlyMap<string, CallKind> {
  const kinds = new Map<string, CallKind>();
  for (const { localName: operation, message, oneof } of protocol.requestSchema.fields) {
    if (oneof === undefined || message === undefined) continue;
    kinds.set(operation, {
      operation,
      feature: protocol.extensions.get(operation),
      extensionFields: extensionFields(message),
      errorCode: operationErrorCode(operation),
      isAnswered: protocol.answers[operation] !== undefined,
      waits: protocol.waiting.includes(operation),
      isIdempotent: protocol.idempotent.includes(operation),
      isCarrier: operation === "management",
      isAcknowledgement: acknowledgements.has(operation),
    });
  }
  return kinds;
}

function extensionFields({ fields }: DescMessage): readonly string[] {
  return fields
    .filter(({ number, proto }) => number >= limits.extensionNumberMin && proto.proto3Optional)
    .map(({ localName }) => localName);
}

/** `getInstanceStatus` → GET_INSTANCE_STATUS_ERROR: the outer code names the operation, whatever the cause (spec 2.2). */
export function operationErrorCode(operation: string): string {
  return `${operation.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}_ERROR`;
}

/** The outer code for what a handler threw: the operation's, unless it is an RpcError that names another. */
export function errorCode(error: unknown, operation: string): string {
  if (isProtocolError(error) && error.code === "RPC" && error.rpcCode !== undefined) return error.rpcCode;
  return operationErrorCode(operation);
}
