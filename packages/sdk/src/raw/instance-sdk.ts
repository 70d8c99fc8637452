import { type Duration, durationMs } from "../durations.ts";
import type { RawCalls, RawEvent, RawInstance, RawSignal, RawStatus } from "./calls.ts";
import { SdkError } from "./errors.ts";
import { forgetSdk, registerSdk } from "./registry.ts";
import type { CheckpointResult, Signal, SignalType, StatusResponse } from "./types.ts";

/** An instance, and how often it polls and says that it is alive. */
export interface InstanceSettings extends RawInstance {
  readonly signalPollIntervalMs: number;
  readonly heartbeatIntervalMs: number;
}

/** The instance's side of the protocol, call by call, as the original's Rust SDK has it (spec 10). Nothing is stored or repeated for you,
 *  but for `sleep`. Calls may overlap; each fails with an {@link SdkError} and can be made again. In a `workflow()` use `step` instead. */
export class InstanceSdk implements AsyncDisposable {
  readonly instanceId: string;
  readonly tenantId: string;
  readonly heartbeatIntervalMs: number;
  readonly #signalPollIntervalMs: number;
  readonly #calls: RawCalls;
  #isRegistered = false;
  #cached: Signal | undefined;
  #polledAt = Number.NEGATIVE_INFINITY;

  /** Sends nothing. */
  constructor(settings: InstanceSettings, calls: RawCalls) {
    this.instanceId = settings.instanceId;
    this.tenantId = settings.tenantId;
    this.heartbeatIntervalMs = settings.heartbeatIntervalMs;
    this.#signalPollIntervalMs = settings.signalPollIntervalMs;
    this.#calls = calls;
  }

  /** Connects, registers, becomes the process's SDK, and sends heartbeats from then on. @throws SdkError Connection, Registration, Internal */
  async init(checkpointId?: string): Promise<void> {
    await this.connect();
    await this.register(checkpointId);
    registerSdk(this);
  }

  /** Needed only to learn early whether the core is there: every call connects. @throws SdkError Connection */
  async connect(): Promise<void> {
    await this.#calls.connect();
  }

  /** Ends calls under way, and the heartbeat if this is the process's SDK. A later call connects again. */
  async close(): Promise<void> {
    forgetSdk(this);
    await this.#calls.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get isConnected(): boolean {
    return this.#calls.isConnected;
  }

  /** @throws SdkError Registration with the server's text */
  async register(checkpointId?: string): Promise<void> {
    const refusal = await this.#calls.register(checkpointId);
    if (refusal !== undefined) throw new SdkError("Registration", refusal);
    this.#isRegistered = true;
  }

  get isRegistered(): boolean {
    return this.#isRegistered;
  }

  /** Saves the state under the id, or returns what is there. */
  async checkpoint(id: string, state: Uint8Array): Promise<CheckpointResult> {
    const { found, state: stored, signal, customSignal } = await this.#calls.checkpoint(id, state);
    const shouldCancel = signal?.type === "cancel";
    const shouldPause = signal?.type === "pause";
    return {
      found,
      state: stored,
      existingState: found ? stored : undefined,
      ...(signal ? { pendingSignal: toSignal(signal) } : {}),
      ...(customSignal ? { customSignal: { ...customSignal } } : {}),
      shouldCancel,
      shouldPause,
      shouldExit: shouldCancel || shouldPause,
    };
  }

  getCheckpoint(id: string): Promise<Uint8Array | undefined> {
    return this.#calls.getCheckpoint(id);
  }

  /** Waits on the server's clock. When the connection is lost, the rest is asked for again; heartbeats and other calls go on meanwhile.
   *  Never shorter than the duration. @throws SdkError Config for a bad duration; Server */
  async sleep(duration: Duration, checkpointId: string, state: Uint8Array): Promise<void> {
    const ms = durationOf(duration);
    if (ms > 0) await this.#calls.sleep(ms, checkpointId, state);
  }

  heartbeat(): Promise<void> {
    return this.#event("heartbeat");
  }

  completed(output: Uint8Array): Promise<void> {
    return this.#event("completed", output);
  }

  failed(error: string): Promise<void> {
    return this.#event("failed", new TextEncoder().encode(error));
  }

  suspended(): Promise<void> {
    return this.#event("suspended");
  }

  customEvent(subtype: string, payload: Uint8Array): Promise<void> {
    return this.#event("custom", payload, subtype);
  }

  /** The instance's signal, asking the server at most once per `signalPollIntervalMs`. A signal that a check has put back is returned in
   *  between; what the server answers wins, so a pause that was put back never hides a cancel, and one that is over is forgotten. */
  async pollSignal(): Promise<Signal | undefined> {
    const isDue = performance.now() - this.#polledAt >= this.#signalPollIntervalMs;
    const fresh = isDue ? await this.pollSignalNow() : undefined;
    const kept = this.#cached;
    this.#cached = undefined;
    // One for a checkpoint is gone from the server; all others stay there until they are acknowledged.
    return fresh ?? (isDue && kept?.checkpointId === undefined ? undefined : kept);
  }

  /** Asks the server now. The signal stays there until it is acknowledged. */
  async pollSignalNow(): Promise<Signal | undefined> {
    this.#polledAt = performance.now();
    const { signal, customSignal } = await this.#calls.pollSignals(undefined);
    if (signal) return toSignal(signal);
    return customSignal && { signalType: "resume", ...customSignal };
  }

  /** The payload that was sent to this checkpoint id; with the answer it is gone from the server. */
  async pollCustomSignal(checkpointId: string): Promise<Uint8Array | undefined> {
    const { customSignal } = await this.#calls.pollSignals(checkpointId);
    return customSignal?.payload;
  }

  /** Resolves when the server has taken it. `acknowledged` false changes nothing there. */
  async acknowledgeSignal(type: SignalType, acknowledged = true): Promise<void> {
    await this.#calls.acknowledge(type, acknowledged);
    if (acknowledged && this.#cached?.signalType === type) this.#cached = undefined;
  }

  /** @throws SdkError Cancelled when a cancel is pending. Does not acknowledge it; other signals are kept for the next poll */
  checkCancelled(): Promise<void> {
    return this.#check("cancel", "Cancelled");
  }

  /** @throws SdkError Paused when a pause is pending. Does not acknowledge it; other signals are kept for the next poll */
  checkPaused(): Promise<void> {
    return this.#check("pause", "Paused");
  }

  /** Resolves when the server has taken it. */
  recordRetryAttempt(checkpointId: string, attempt: number, error?: string): Promise<void> {
    return this.#calls.retryAttempt(checkpointId, attempt, error);
  }

  getStatus(): Promise<StatusResponse> {
    return this.getInstanceStatus(this.instanceId);
  }

  /** An unknown id is no error: `found` is false. */
  async getInstanceStatus(instanceId: string): Promise<StatusResponse> {
    return toStatus(await this.#calls.status(instanceId));
  }

  async #check(type: SignalType, code: "Cancelled" | "Paused"): Promise<void> {
    const signal = await this.pollSignal();
    if (!signal) return;
    // Kept, so that the same answer is given until it is acknowledged.
    this.#cached = signal;
    if (signal.signalType === type) throw new SdkError(code);
  }

  async #event(kind: RawEvent, payload?: Uint8Array, subtype?: string): Promise<void> {
    const refusal = await this.#calls.event(kind, payload, subtype);
    if (refusal !== undefined) throw SdkError.server("EVENT_ERROR", refusal);
  }
}

function durationOf(duration: Duration): number {
  try {
    return durationMs(duration, "the duration");
  } catch (cause) {
    throw new SdkError("Config", (cause as Error).message, { cause });
  }
}

function toSignal({ type, payload }: RawSignal): Signal {
  return { signalType: type, payload };
}

function toStatus(answer: RawStatus): StatusResponse {
  const { status, checkpointId, output, error, startedAtMs, finishedAtMs } = answer;
  return {
    found: status !== "unknown",
    status,
    ...(checkpointId === undefined ? {} : { checkpointId }),
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
    ...(startedAtMs === 0 ? {} : { startedAt: new Date(startedAtMs) }),
    ...(finishedAtMs === undefined ? {} : { finishedAt: new Date(finishedAtMs) }),
  };
}
