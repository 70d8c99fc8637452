import type { instance } from "@runtara/protocol";
import type { Batch, BatchAnswer, OutgoingMessage } from "../../ports/source.ts";
import { pendingOf } from "./start-facts.ts";

// Batches and their answers on the wire. Literals, because every step passes here.

export function batchMessage(
  { instanceId, epoch }: { readonly instanceId: string; readonly epoch: bigint },
  { entries, messages, beginsRun }: Batch,
): instance.CheckpointBatchRequest {
  const message: instance.CheckpointBatchRequest = {
    $typeName: "runtara.instance.CheckpointBatchRequest",
    instanceId,
    epoch,
    entries: entries.map(entryMessage),
    messages: messages.map(outgoingMessage),
  };
  if (beginsRun !== undefined) message.beginsRun = beginsRun;
  return message;
}

function entryMessage({ checkpointId, state, consumesSignalId }: Batch["entries"][number]): instance.CheckpointEntry {
  const entry: instance.CheckpointEntry = { $typeName: "runtara.instance.CheckpointEntry", checkpointId, state };
  if (consumesSignalId !== undefined) entry.consumesSignalId = BigInt(consumesSignalId);
  return entry;
}

function outgoingMessage({ number, content }: OutgoingMessage): instance.OutgoingMessage {
  return { $typeName: "runtara.instance.OutgoingMessage", number: BigInt(number), content: contentOf(content) };
}

function contentOf(content: OutgoingMessage["content"]): instance.OutgoingMessage["content"] {
  if (content.kind === "published") {
    const { key, value } = content;
    return { case: "published", value: { $typeName: "runtara.instance.PublishedValue", key, value } };
  }
  const { subtype, payload, createdAtMs } = content;
  const timestampMs = BigInt(Math.trunc(createdAtMs));
  return { case: "event", value: { $typeName: "runtara.instance.CustomEvent", subtype, payload, timestampMs } };
}

export function batchAnswer({ results, pendingSignal }: instance.CheckpointBatchResponse): BatchAnswer {
  return {
    entries: results.map(({ found, state }) => ({ state: found ? state : undefined })),
    signal: pendingSignal && pendingOf(pendingSignal),
  };
}
