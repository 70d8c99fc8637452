import type { Message } from "@bufbuild/protobuf";
import { InstanceEventBatchSchema } from "../gen/runtara/instance/instance_pb.ts";
import type { CallKind } from "./call-kinds.ts";

/**
 * Whether the client of a call reads what it is told of a failure: its call has an answer, or it carries an epoch, on itself
 * or on one of its events. The client of any other call looks at the end of the stream alone and takes it for done, so one
 * that was not carried out must be reset.
 */
export function isHeard({ isAnswered }: Pick<CallKind, "isAnswered">, request: Message): boolean {
  return isAnswered || hasEpoch(request) || eventsOf(request).some(hasEpoch);
}

/**
 * Whether a call shows that its client knows extensions: it is one, or carries a field of one. A client that never does is taken
 * for one of 1.4.1, to which every error is an answer for good.
 */
export function knowsExtensions({ feature, extensionFields }: ExtensionKind, request: Message & Fields): boolean {
  if (feature !== undefined) return true;
  // For each call of a 1.4.1 client, so without closures.
  for (const name of extensionFields) if (request[name] !== undefined) return true;
  return request.$typeName === batchName && eventsOf(request).some(hasEpoch);
}

const batchName = InstanceEventBatchSchema.typeName;

type ExtensionKind = Pick<CallKind, "feature" | "extensionFields">;
type Fields = { readonly [name: string]: unknown };

function hasEpoch(message: object): boolean {
  return "epoch" in message && message.epoch !== undefined;
}

function eventsOf(request: Message): readonly object[] {
  return "events" in request && Array.isArray(request.events) ? (request.events as readonly object[]) : [];
}
