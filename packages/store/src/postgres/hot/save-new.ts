import type { SaveBatch, SaveBatchResult, SaveCheckpoint, SaveCheckpointResult } from "../../operations/index.ts";
import { emptyBytes } from "../bytes.ts";
import type { Sessions } from "../connections/port.ts";
import { byteaArray, int8Array, textArray } from "../parameters.ts";
import { saveNewStatement } from "./save-new-statement.ts";

type Save = SaveCheckpoint | SaveBatch;

/** Saved, and nothing else to tell. */
export const plainSave: SaveCheckpointResult = {
  outcome: "saved",
  state: emptyBytes,
  signal: undefined,
  custom: undefined,
};

const plainBatch: SaveBatchResult = { outcome: "saved", entries: [{ state: undefined }], signal: undefined };

/** The one row that an operation inserts. */
interface Place {
  readonly operation: Save;
  readonly checkpointId: string;
  readonly state: Uint8Array;
  /** Among all operations. */
  readonly index: number;
}

/**
 * Saves with one statement what is new and simple: the first save of each instance, a checkpoint or a batch of one entry and nothing else,
 * unless it is found or refused or there are signals. The
 * result of everything else is undefined: nothing has happened to it, and it is to be saved behind these. Throws if nothing was changed at all.
 */
export async function saveNew(
  session: Sessions,
  operations: readonly Save[],
): Promise<(SaveCheckpointResult | SaveBatchResult | undefined)[]> {
  const results: (SaveCheckpointResult | SaveBatchResult | undefined)[] = new Array(operations.length).fill(undefined);
  const places = firstOfEach(operations);
  if (places.length === 0) return results;
  const { rows } = await session.query(saveNewStatement, [
    textArray(places.map(({ operation }) => operation.instanceId)),
    textArray(places.map(({ checkpointId }) => checkpointId)),
    byteaArray(places.map(({ state }) => state)),
    int8Array(places.map(({ operation }) => operation.epoch ?? null)),
    int8Array(places.map(({ operation }) => operation.nowMs)),
    places.length,
  ]);
  const saved = rows[0]?.[0] as readonly number[] | undefined;
  for (const place of saved?.map((number) => places[number - 1]) ?? places) {
    if (place !== undefined) results[place.index] = place.operation.kind === "saveBatch" ? plainBatch : plainSave;
  }
  return results;
}

/** Sorted: two processes that save for the same instances lock them in one order. */
function firstOfEach(operations: readonly Save[]): readonly Place[] {
  const seen = new Set<string>();
  const places: Place[] = [];
  for (const [index, operation] of operations.entries()) {
    const size = seen.size;
    if (seen.add(operation.instanceId).size === size) continue;
    const entry = operation.kind === "saveCheckpoint" ? operation : onlyEntry(operation);
    if (entry !== undefined) places.push({ operation, checkpointId: entry.checkpointId, state: entry.state, index });
  }
  return places.sort((a, b) => (a.operation.instanceId < b.operation.instanceId ? -1 : 1));
}

function onlyEntry({ entries }: SaveBatch): SaveBatch["entries"][number] | undefined {
  return entries.length === 1 ? entries[0] : undefined;
}
