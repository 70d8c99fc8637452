import type { CustomSignalFacts, SignalFacts, TakeableSignal } from "../../decide/index.ts";
import { type Oldest, oldestSignals } from "../../engines/arrivals.ts";
import { limits } from "../../limits.ts";
import type { QueuedSignal } from "../../model.ts";
import type { Entry } from "../instance-rows.ts";
import { type Context, emptyBytes } from "./context.ts";

type Blob = Uint8Array | null;

const noSignal: SignalFacts = { signalPayload: null };
const noCustomSignal: CustomSignalFacts = { signalPayload: null, slot: undefined, queued: undefined };

/** Reads signals; looks into the tables only where the instance's own row says that there is something. */
export class SignalReader {
  readonly #statements;

  constructor({ connection }: Context) {
    const sql = (text: string) => connection.prepare(text);
    this.#statements = {
      pending: sql("SELECT payload FROM pending_signals WHERE instance_key = ?"),
      slot: sql(
        "SELECT signal_id, payload FROM pending_checkpoint_signals WHERE instance_key = ? AND checkpoint_id = ?",
      ),
      oldest: sql(
        `SELECT signal_id, payload FROM instance_signals
         WHERE instance_key = ? AND name = ? AND kind = 'queued' AND delivered_at IS NULL ORDER BY signal_id LIMIT 1`,
      ),
      queued: sql(
        `SELECT signal_id, name, payload, created_at FROM instance_signals
         WHERE instance_key = ?1 AND name = ?2 AND kind = 'queued' AND delivered_at IS NULL AND signal_id > ?3 ORDER BY signal_id LIMIT ?4`,
      ),
      slotAfter: sql(
        `SELECT signal_id, checkpoint_id, payload, created_at FROM pending_checkpoint_signals
         WHERE instance_key = ? AND checkpoint_id = ? AND signal_id > ?`,
      ),
      waitingSlot: sql("SELECT 1 FROM pending_checkpoint_signals WHERE instance_key = ? AND signal_id = ?"),
      waitingQueued: sql(
        "SELECT 1 FROM instance_signals WHERE signal_id = ? AND instance_key = ? AND kind = 'queued' AND delivered_at IS NULL",
      ),
    };
  }

  pending(entry: Entry | undefined): SignalFacts {
    if (entry === undefined || entry.row.pendingSignal === null) return noSignal;
    return { signalPayload: this.#statements.pending.get<[Blob]>(entry.key)?.[0] ?? null };
  }

  /** The pending signal, and what can be taken under this checkpoint id. */
  custom(entry: Entry | undefined, checkpointId: string | undefined): CustomSignalFacts {
    if (entry === undefined) return noCustomSignal;
    const { key, row, slots } = entry;
    if (row.pendingSignal === null && slots === 0 && row.queuedSignals === 0) return noCustomSignal;
    const id = checkpointId;
    return {
      signalPayload: this.pending(entry).signalPayload,
      slot: id === undefined || slots === 0 ? undefined : takeable(this.#statements.slot.get(key, id)),
      queued: id === undefined || row.queuedSignals === 0 ? undefined : takeable(this.#statements.oldest.get(key, id)),
    };
  }

  /** Which of these still wait, in slots or in the queue. */
  waiting(entry: Entry, signalIds: readonly number[]): { readonly signalId: number; readonly queued: boolean }[] {
    const found: { signalId: number; queued: boolean }[] = [];
    for (const signalId of new Set(signalIds)) {
      if (entry.row.queuedSignals > 0 && this.#statements.waitingQueued.get(signalId, entry.key) !== undefined) {
        found.push({ signalId, queued: true });
      } else if (entry.slots > 0 && this.#statements.waitingSlot.get(entry.key, signalId) !== undefined) {
        found.push({ signalId, queued: false });
      }
    }
    return found;
  }

  /** What waits under these names behind an id, as far as `bytesMax` and the limit reach. */
  queued({ key, row, slots }: Entry, names: readonly string[], afterSignalId: number, bytesMax: number): Oldest {
    const found: QueuedSignal[] = [];
    for (const name of new Set(names)) {
      if (row.queuedSignals > 0) {
        const rows = this.#statements.queued.all<SignalColumns>(key, name, afterSignalId, limits.queuedSignalsMax + 1);
        found.push(...rows.map(toQueued));
      }
      if (slots > 0)
        found.push(...this.#statements.slotAfter.all<SignalColumns>(key, name, afterSignalId).map(toQueued));
    }
    return oldestSignals(found, bytesMax);
  }
}

type SignalColumns = readonly [signalId: number, name: string, payload: Blob, createdAtMs: number];

function toQueued([signalId, name, payload, createdAtMs]: SignalColumns): QueuedSignal {
  return { signalId, name, payload: payload ?? emptyBytes, createdAtMs };
}

function takeable(row: readonly unknown[] | undefined): TakeableSignal | undefined {
  if (row === undefined) return undefined;
  const [signalId, payload] = row as readonly [number, Blob];
  return { signalId, payload };
}
