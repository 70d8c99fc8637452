import type { Operation } from "../operations/index.ts";

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
      return operation.input?.byteLength ?? 0;
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
