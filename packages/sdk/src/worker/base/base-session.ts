import { limits } from "../../limits.ts";
import type {
  Batch,
  BatchAnswer,
  ChildStart,
  ClaimedWork,
  Done,
  InstanceSession,
  OwnPage,
  Report,
  RetryRecord,
  SessionServes,
  SignalType,
  Suspension,
  SuspensionAnswer,
} from "../../ports/source.ts";
import { SourceError } from "../../ports/source-error.ts";
import { unsupportedText } from "../remote/failures.ts";
import type { InstanceLink } from "./instance-link.ts";
import type { Slots } from "./slots.ts";

const utf8 = new TextEncoder();

export interface BaseSessionOptions {
  readonly link: InstanceLink;
  readonly work: ClaimedWork;
  readonly slots: Slots;
  /** Takes the place of a suspension by the core: whoever started this process wakes it. Absent: the process stays up. */
  readonly onSleep?: ((untilMs: number) => void) | undefined;
}

/** One instance over 1.4.1 as it is: a checkpoint for each entry, look-ups one by one. The link repeats; nothing here fails with AWAY.
 *  A checkpoint takes a named signal that has the name of the checkpoint; it goes into the slots. */
export class BaseSession implements InstanceSession {
  readonly work: ClaimedWork;
  readonly serves: SessionServes;
  readonly #link: InstanceLink;
  readonly #slots: Slots;
  readonly #onSleep: ((untilMs: number) => void) | undefined;

  constructor({ link, work, slots, onSleep }: BaseSessionOptions) {
    this.#link = link;
    this.work = work;
    this.#slots = slots;
    this.#onSleep = onSleep;
    this.serves = {
      batches: false,
      suspendUntil: onSleep !== undefined,
      retryTimes: false,
      children: false,
      publish: false,
      signalQueue: false,
    };
  }

  /** One entry at a time; several saves may be under way. */
  save({ entries, messages }: Batch, done: Done<BatchAnswer>): void {
    const [entry, ...more] = entries;
    if (!entry || more.length > 0 || messages.length > 0) {
      done(new SourceError("REFUSED", "the base protocol saves one entry with each call"), undefined);
      return;
    }
    this.#link.checkpoint(entry.checkpointId, entry.state).then(
      ({ found, state, signal, customSignal }) => {
        if (entry.consumesSignalId !== undefined) this.#slots.remove(entry.consumesSignalId);
        if (customSignal) this.#slots.put(customSignal.checkpointId, customSignal.payload);
        done(undefined, { entries: [{ state: found ? state : undefined }], signal });
      },
      (error: SourceError) => done(error, undefined),
    );
  }

  async list(): Promise<OwnPage> {
    throw unsupported("list-own-checkpoints");
  }

  find(checkpointId: string): Promise<Uint8Array | undefined> {
    return this.#link.getCheckpoint(checkpointId);
  }

  /** The time of the attempt is not kept: after a restart it begins at once. */
  async recordRetry({ checkpointId, attempt, error }: RetryRecord): Promise<void> {
    if (attempt > limits.retryAttemptMax) return;
    await this.#link.retryAttempt(checkpointId, attempt, error.slice(0, limits.errorTextCharsMax));
  }

  /** With named signals to wait for it stays: nobody would wake it for one. */
  async suspendUntil({ untilMs, names }: Suspension): Promise<SuspensionAnswer> {
    if (untilMs === undefined || names.length > 0 || !this.#onSleep) {
      return { suspended: false, signal: undefined, queued: [] };
    }
    this.#onSleep(untilMs);
    return { suspended: true };
  }

  async startChild(_child: ChildStart): Promise<{ readonly created: boolean }> {
    throw unsupported("children");
  }

  note(subtype: string, payload: Uint8Array): Promise<void> {
    return this.#link.event("custom", payload, subtype);
  }

  acknowledge(type: SignalType): Promise<void> {
    return this.#link.acknowledge(type);
  }

  async report(report: Report): Promise<void> {
    switch (report.is) {
      case "completed":
        return this.#link.event("completed", report.output);
      case "failed":
        return this.#link.event("failed", utf8.encode(report.error));
      case "cancelled":
        return this.acknowledge("cancel");
      case "paused":
        await this.acknowledge("pause");
        return this.#link.event("suspended");
      case "diverged":
        await this.note("runtara_divergence", report.report);
        return this.#link.event("suspended");
    }
  }

  heartbeat(): void {
    this.#link.heartbeat();
  }
}

function unsupported(feature: "children" | "list-own-checkpoints"): SourceError {
  return new SourceError("UNSUPPORTED", unsupportedText(feature), { feature });
}
