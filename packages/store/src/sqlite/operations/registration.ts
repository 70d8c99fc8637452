import { decideRegisterInstance, decideStartInstance, decideTouch, unknownInstance } from "../../decide/index.ts";
import { instanceOf } from "../../engines/details.ts";
import type {
  ReadInstance,
  ReadInstanceResult,
  RegisterInstance,
  RegisterInstanceResult,
  StartInstance,
  StartInstanceResult,
  TouchInstances,
  TouchInstancesResult,
} from "../../operations/index.ts";
import type { Entry } from "../instance-rows.ts";
import type { Load } from "./checkpoints.ts";
import type { Context } from "./context.ts";
import { prepareTags } from "./details.ts";
import type { SignalReader } from "./signal-facts.ts";

/** What somebody who begins a life is told beside the row. */
export type LifeFacts = (entry: Entry | undefined) => {
  readonly signalPayload: Uint8Array | null;
  readonly retryCount: number;
  readonly input: Uint8Array | null;
};

export function prepareLifeFacts({ connection }: Context, signals: SignalReader): LifeFacts {
  const retries = connection.prepare("SELECT count(*) FROM retry_attempts WHERE instance_key = ?");
  const input = connection.prepare("SELECT input FROM instance_inputs WHERE instance_key = ?");
  return (entry) => {
    if (entry === undefined) return { signalPayload: null, retryCount: 0, input: null };
    return {
      signalPayload: signals.pending(entry).signalPayload,
      retryCount: retries.get<[number]>(entry.key)?.[0] ?? 0,
      input: input.get<[Uint8Array]>(entry.key)?.[0] ?? null,
    };
  };
}

export function prepareRegisterInstance(
  context: Context,
  load: Load,
  lifeFacts: LifeFacts,
): (operation: RegisterInstance) => RegisterInstanceResult {
  return (operation) => {
    const { instanceId, checkpointId } = operation;
    const entry = context.rows.get(instanceId);
    const checkpointExists =
      checkpointId !== undefined && entry !== undefined && load(entry.key, checkpointId) !== undefined;
    const facts = { ...lifeFacts(entry), checkpointExists };
    const { result, changes } = decideRegisterInstance(operation, entry?.row, facts);
    context.write(instanceId, changes);
    return result;
  };
}

export function prepareStartInstance(
  context: Context,
  lifeFacts: LifeFacts,
): (operation: StartInstance) => StartInstanceResult {
  const { rows } = context;
  return (operation) => {
    const { instanceId, parent } = operation;
    const entry = rows.get(instanceId);
    const { result, changes, others } = decideStartInstance(operation, entry?.row, {
      input: lifeFacts(entry).input,
      parent: parent === undefined ? undefined : rows.get(parent.instanceId)?.row,
    });
    context.write(instanceId, changes);
    for (const other of others) context.write(other.instanceId, other.changes);
    return result;
  };
}

export function prepareTouchInstances(context: Context): (operation: TouchInstances) => TouchInstancesResult {
  return ({ seen }) => {
    for (const one of seen) context.write(one.instanceId, decideTouch(one, context.rows.get(one.instanceId)?.row));
    return { outcome: "touched" };
  };
}

export function prepareReadInstance(context: Context): (operation: ReadInstance) => ReadInstanceResult {
  const tagsOf = prepareTags(context);
  const results = context.connection.prepare("SELECT output, error, failure FROM instances WHERE instance_key = ?");
  const input = context.connection.prepare("SELECT input FROM instance_inputs WHERE instance_key = ?");
  return (operation) => {
    const entry = context.seen(operation);
    if (entry === undefined) return unknownInstance;
    const { key, row } = entry;
    const [output = null, error = null, failure = null] =
      results.get<[Uint8Array | null, string | null, Uint8Array | null]>(key) ?? [];
    const start =
      operation.withStart === true ? { input: input.get<[Uint8Array]>(key)?.[0] ?? null, seed: row.seed } : undefined;
    return { outcome: "found", instance: instanceOf(row, tagsOf(key), { output, error, failure }, start) };
  };
}
