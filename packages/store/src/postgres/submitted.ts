import type { StoreError } from "../errors.ts";
import type { Operation } from "../operations/index.ts";
import type { AnyResult } from "./decide-step.ts";

/** `Done` of any operation; the outcome that it is called with belongs to its own. */
export type AnyDone = (error: StoreError | undefined, result: AnyResult | undefined) => void;

/** An operation that has been taken in. */
export interface Submitted {
  readonly operation: Operation;
  readonly done: AnyDone;
}

/** A callback that throws must not keep the others from hearing that their write is durable. */
export function answer({ done }: Submitted, error: StoreError | undefined, result: AnyResult | undefined): void {
  try {
    done(error, result);
  } catch (thrown) {
    process.nextTick(() => {
      throw thrown;
    });
  }
}

/** About how many bytes an operation brings into its transaction. */
export function bytesOf(operation: Operation): number {
  switch (operation.kind) {
    case "saveCheckpoint":
    case "beginSleep":
      return operation.state.byteLength;
    case "saveBatch":
      return sum(operation.entries, ({ state }) => state.byteLength) + messageBytes(operation.messages);
    case "publish":
      return messageBytes(operation.messages);
    case "startInstance":
      return operation.input?.byteLength ?? 0;
    case "appendEvent":
      return (operation.payload?.byteLength ?? 0) + (operation.output?.byteLength ?? 0);
    case "sendSignal":
    case "sendCustomSignal":
      return operation.payload?.byteLength ?? 0;
    default:
      return 0;
  }
}

type Messages = Extract<Operation, { kind: "publish" }>["messages"];

function messageBytes(messages: Messages): number {
  return sum(messages, ({ content }) => (content.kind === "published" ? content.value : content.payload).byteLength);
}

function sum<T>(list: readonly T[], of: (item: T) => number): number {
  return list.reduce((total, item) => total + of(item), 0);
}
