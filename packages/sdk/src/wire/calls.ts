// The calls of the instance protocol for one instance, on plain values. Nothing is repeated; errors are ProtocolErrors.

import { type CallOptions, instance, type RequestTarget, request } from "@runtara/protocol";
import { type SignalType, type Status, signalNumbers, signalWord, statusWord } from "./words.ts";

export interface WireSignal {
  readonly type: SignalType;
  readonly payload: Uint8Array;
}

export interface WireCustomSignal {
  readonly checkpointId: string;
  readonly payload: Uint8Array;
}

export interface CheckpointAnswer {
  /** True: something was stored under the id already, `state` is that. False: it was saved. */
  readonly found: boolean;
  readonly state: Uint8Array;
  readonly signal: WireSignal | undefined;
  readonly customSignal: WireCustomSignal | undefined;
}

export interface StatusAnswer {
  readonly status: Status | "unknown";
  /** The checkpoint that was saved last. */
  readonly checkpointId: string | undefined;
  readonly startedAtMs: number;
  readonly finishedAtMs: number | undefined;
  readonly output: Uint8Array | undefined;
  readonly error: string | undefined;
}

export type EventKind = "heartbeat" | "completed" | "failed" | "suspended" | "custom";

const eventNumbers: Readonly<Record<EventKind, instance.InstanceEventType>> = {
  heartbeat: instance.InstanceEventType.EVENT_HEARTBEAT,
  completed: instance.InstanceEventType.EVENT_COMPLETED,
  failed: instance.InstanceEventType.EVENT_FAILED,
  suspended: instance.InstanceEventType.EVENT_SUSPENDED,
  custom: instance.InstanceEventType.EVENT_CUSTOM,
};

const empty = new Uint8Array(0);

/** One instance's calls; `target` says on which connection each goes out. */
export class InstanceCalls {
  readonly instanceId: string;
  readonly #target: () => RequestTarget;

  constructor(instanceId: string, target: () => RequestTarget) {
    this.instanceId = instanceId;
    this.#target = target;
  }

  /** The server's refusal, or undefined when the instance is registered. */
  async register(tenantId: string, checkpointId?: string): Promise<string | undefined> {
    const { instanceId } = this;
    const checkpoint = checkpointId === undefined ? {} : { checkpointId };
    const schema = instance.RegisterInstanceRequestSchema;
    const answer = await request(this.#target(), schema, { instanceId, tenantId, ...checkpoint });
    return answer.success ? undefined : answer.error;
  }

  async checkpoint(checkpointId: string, state: Uint8Array): Promise<CheckpointAnswer> {
    const { instanceId } = this;
    const schema = instance.CheckpointRequestSchema;
    const answer = await request(this.#target(), schema, { instanceId, checkpointId, state });
    return {
      found: answer.found,
      state: answer.state,
      signal: answer.pendingSignal && wireSignal(answer.pendingSignal),
      customSignal: answer.customSignal,
    };
  }

  async getCheckpoint(checkpointId: string): Promise<Uint8Array | undefined> {
    const { instanceId } = this;
    const answer = await request(this.#target(), instance.GetCheckpointRequestSchema, { instanceId, checkpointId });
    return answer.found ? answer.state : undefined;
  }

  async status(instanceId: string = this.instanceId): Promise<StatusAnswer> {
    const answer = await request(this.#target(), instance.GetInstanceStatusRequestSchema, { instanceId });
    return {
      status: statusWord(answer.status),
      checkpointId: answer.checkpointId,
      startedAtMs: Number(answer.startedAtMs),
      finishedAtMs: answer.finishedAtMs === undefined ? undefined : Number(answer.finishedAtMs),
      output: answer.output,
      error: answer.error,
    };
  }

  /** The server's refusal, or undefined when the event is stored. */
  async event(kind: EventKind, payload: Uint8Array = empty, subtype?: string): Promise<string | undefined> {
    const answer = await request(this.#target(), instance.InstanceEventSchema, {
      instanceId: this.instanceId,
      eventType: eventNumbers[kind],
      payload,
      timestampMs: BigInt(Date.now()),
      ...(subtype === undefined ? {} : { subtype }),
    });
    return answer.success ? undefined : (answer.error ?? "Unknown error");
  }

  async pollSignals(
    checkpointId?: string,
  ): Promise<{ signal: WireSignal | undefined; customSignal: WireCustomSignal | undefined }> {
    const checkpoint = checkpointId === undefined ? {} : { checkpointId };
    const { instanceId } = this;
    const answer = await request(this.#target(), instance.PollSignalsRequestSchema, { instanceId, ...checkpoint });
    return { signal: answer.signal && wireSignal(answer.signal), customSignal: answer.customSignal };
  }

  /** Resolves when the server has taken it (its FIN). */
  async acknowledge(type: SignalType, acknowledged: boolean): Promise<void> {
    const { instanceId } = this;
    const schema = instance.SignalAckSchema;
    await request(this.#target(), schema, { instanceId, signalType: signalNumbers[type], acknowledged });
  }

  /** Resolves when the server has taken it (its FIN). */
  async retryAttempt(checkpointId: string, attempt: number, error?: string): Promise<void> {
    await request(this.#target(), instance.RetryAttemptEventSchema, {
      instanceId: this.instanceId,
      checkpointId,
      attemptNumber: attempt,
      timestampMs: BigInt(Date.now()),
      ...(error === undefined ? {} : { errorMessage: error }),
    });
  }

  /** Resolves when the server says that the time is over. No deadline. */
  async sleep(durationMs: number, checkpointId: string, state: Uint8Array, options?: CallOptions): Promise<void> {
    const { instanceId } = this;
    const init = { instanceId, durationMs: BigInt(durationMs), checkpointId, state };
    await request(this.#target(), instance.SleepRequestSchema, init, options);
  }
}

function wireSignal(signal: instance.Signal): WireSignal {
  return { type: signalWord(signal.signalType), payload: signal.payload };
}
