import { limits } from "../limits.ts";
import type { Batch, BatchEntry, OutgoingMessage } from "../ports/source.ts";
import type { OutgoingEntry } from "../run/entries.ts";
import type { SaveListener } from "../run/history.ts";

/** An entry or a message on its way. `ready`: its bytes, once the codecs are through with it. */
export type Outgoing =
  | {
      readonly is: "entry";
      readonly entry: OutgoingEntry;
      readonly listener: SaveListener;
      ready: BatchEntry | undefined;
    }
  | { readonly is: "message"; ready: OutgoingMessage | undefined };

/** The next batch of a queue, in its order, and how many it takes: what comes behind something that is not ready waits. An entry that begins a
 *  run is the last of its batch. Nothing ready: undefined. */
export function nextBatch(queue: readonly Outgoing[]): { readonly batch: Batch; readonly count: number } | undefined {
  const entries: BatchEntry[] = [];
  const messages: OutgoingMessage[] = [];
  let bytes = 0;
  let count = 0;
  let beginsRun: number | undefined;
  for (const item of queue) {
    if (item.ready === undefined || beginsRun !== undefined || bytes >= limits.batchBytesFull) break;
    if (item.is === "entry") {
      if (entries.length >= limits.batchEntriesMax) break;
      entries.push(item.ready);
      bytes += item.ready.state.byteLength;
      beginsRun = item.entry.beginsRun;
    } else {
      if (messages.length >= limits.batchEntriesMax) break;
      messages.push(item.ready);
      bytes += messageBytes(item.ready);
    }
    count++;
  }
  if (count === 0) return undefined;
  return { batch: beginsRun === undefined ? { entries, messages } : { entries, messages, beginsRun }, count };
}

function messageBytes({ content }: OutgoingMessage): number {
  return content.kind === "published" ? content.value.byteLength : content.payload.byteLength;
}
