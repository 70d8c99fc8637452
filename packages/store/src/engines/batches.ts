import { limits } from "../limits.ts";
import type { Operation } from "../operations/index.ts";

/** How many of the items, from the first on, make one transaction: one at least. */
export function batchSize<Item>(items: readonly Item[], bytesOfItem: (item: Item) => number, bytesMax: number): number {
  const max = Math.min(items.length, limits.batchOperationsMax);
  let bytes = 0;
  for (let size = 0; size < max; size += 1) {
    const item = items[size];
    if (item !== undefined) bytes += bytesOfItem(item);
    if (bytes > bytesMax) return Math.max(size, 1);
  }
  return max;
}

/** About how many bytes an operation brings into its transaction. */
export function bytesOf(operation: Operation): number {
  switch (operation.kind) {
    case "saveCheckpoint":
    case "beginSleep":
      return operation.state.byteLength;
    case "saveBatch":
      return (
        operation.entries.reduce((bytes, { state }) => bytes + state.byteLength, 0) + messageBytes(operation.messages)
      );
    case "publish":
      return messageBytes(operation.messages);
    case "startInstance":
      return lengthOf(operation.input);
    case "putSchedule":
      return operation.schedule.input?.byteLength ?? 0;
    case "appendEvent":
      return lengthOf(operation.payload) + lengthOf(operation.output) + lengthOf(operation.failure);
    case "sendSignal":
    case "sendCustomSignal":
      return lengthOf(operation.payload);
    default:
      return 0;
  }
}

type Messages = Extract<Operation, { kind: "publish" }>["messages"];

function messageBytes(messages: Messages): number {
  return messages.reduce((bytes, { content }) => {
    return bytes + (content.kind === "published" ? content.value : content.payload).byteLength;
  }, 0);
}

function lengthOf(bytes: Uint8Array | undefined): number {
  return bytes?.byteLength ?? 0;
}
