import {
  type Answer,
  answered,
  type CheckpointResponse,
  type Core,
  CoreError,
  createCore,
  type GetCheckpointResponse,
  type PollSignalsResponse,
  type RegisterResponse,
  type StatusResponse,
} from "@runtara/core";
import { openStore, type Store } from "@runtara/store";
import type { SignalType } from "../ports/source.ts";
import type { RawCalls, RawEvent, RawInstance, RawSaved, RawStatus } from "../raw/calls.ts";
import { SdkError } from "../raw/errors.ts";

const noBytes: Uint8Array = new Uint8Array(0);

/** Core's services on a store, for as long as somebody is connected. */
interface Opened {
  readonly core: Core;
  close(): Promise<void>;
}

/** The calls of one instance on core's services in this process, opened when they are needed. Refusals read as a server's do. */
export class LocalRawCalls implements RawCalls {
  readonly #given: string | Store;
  readonly #instance: RawInstance;
  #opening: Promise<Opened> | undefined;
  #isConnected = false;
  /** Of the last registration here: whoever registers later fences this one. */
  #epoch: number | undefined;
  /** Ends a sleep that is under way, each. */
  readonly #sleeping = new Set<() => void>();

  constructor(store: string | Store, instance: RawInstance) {
    this.#given = store;
    this.#instance = instance;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  async connect(): Promise<void> {
    await this.#core();
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    this.#isConnected = false;
    for (const end of this.#sleeping) end();
    await (await opening)?.close();
  }

  async register(checkpointId: string | undefined): Promise<string | undefined> {
    const { registration } = await this.#core();
    const request = { ...this.#instance, checkpointId };
    const response = await called<RegisterResponse>("REGISTER_INSTANCE_ERROR", (answer) =>
      registration.register(request, answer),
    );
    if (!response.success) return response.error;
    this.#epoch = response.facts.epoch;
    return undefined;
  }

  async checkpoint(checkpointId: string, state: Uint8Array): Promise<RawSaved> {
    const { checkpoints } = await this.#core();
    const response = await called<CheckpointResponse>("CHECKPOINT_ERROR", (answer) =>
      checkpoints.save({ ...this.#caller, checkpointId, state }, answer),
    );
    const { found, signal, custom } = response;
    if (found) this.#heard();
    return { found, state: response.state, signal, customSignal: custom };
  }

  async getCheckpoint(checkpointId: string): Promise<Uint8Array | undefined> {
    const { checkpoints } = await this.#core();
    const { instanceId } = this.#instance;
    const { found, state } = await called<GetCheckpointResponse>("GET_CHECKPOINT_ERROR", (answer) =>
      checkpoints.get({ instanceId, checkpointId }, answer),
    );
    this.#heard();
    return found ? state : undefined;
  }

  async sleep(durationMs: number, checkpointId: string, state: Uint8Array): Promise<void> {
    let end: () => void = () => {};
    const closed = new Promise<never>((_, reject) => {
      end = () => reject(new SdkError("Connection", "closed during a sleep; its rest can be asked for again"));
    });
    this.#sleeping.add(end);
    try {
      // A core that is closed gives no answer.
      await Promise.race([this.#sleep(durationMs, checkpointId, state), closed]);
    } finally {
      this.#sleeping.delete(end);
    }
  }

  async #sleep(durationMs: number, checkpointId: string, state: Uint8Array): Promise<void> {
    const { sleeps, background } = await this.#core();
    const letGo = background.liveness.hold(this.#instance.instanceId, this.#epoch);
    try {
      await called<void>("SLEEP_ERROR", (answer) => {
        sleeps.sleep({ ...this.#caller, checkpointId, state, durationMs }, answer);
      });
    } finally {
      letGo();
    }
  }

  async event(type: RawEvent, payload: Uint8Array = noBytes, subtype?: string): Promise<undefined> {
    const { events } = await this.#core();
    const request = { ...this.#caller, type, payload, subtype, timestampMs: Date.now() };
    await called("INSTANCE_EVENT_ERROR", (answer) => events.append(request, answer));
  }

  async pollSignals(checkpointId: string | undefined): ReturnType<RawCalls["pollSignals"]> {
    const { signals } = await this.#core();
    const { signal, custom } = await called<PollSignalsResponse>("POLL_SIGNALS_ERROR", (answer) =>
      signals.poll({ ...this.#caller, checkpointId }, answer),
    );
    this.#heard();
    return { signal, customSignal: custom };
  }

  async acknowledge(signal: SignalType, acknowledged: boolean): Promise<void> {
    const { signals } = await this.#core();
    const request = { ...this.#caller, signal, acknowledged };
    await called("SIGNAL_ACK_ERROR", (answer) => signals.acknowledge(request, answer));
  }

  async retryAttempt(checkpointId: string, attempt: number, error: string | undefined): Promise<void> {
    const { checkpoints } = await this.#core();
    const request = { ...this.#caller, checkpointId, attempt, error };
    await called<void>("RETRY_ATTEMPT_ERROR", (answer) => checkpoints.recordRetry(request, answer));
  }

  async status(instanceId: string): Promise<RawStatus> {
    const { status } = await this.#core();
    return called<StatusResponse>("GET_INSTANCE_STATUS_ERROR", (answer) => status.read(instanceId, answer));
  }

  get #caller(): { readonly instanceId: string; readonly epoch: number | undefined } {
    return { instanceId: this.#instance.instanceId, epoch: this.#epoch };
  }

  /** A read is a sign of life, too. */
  #heard(): void {
    void this.#opening?.then(({ core }) => core.background.liveness.heard(this.#instance.instanceId, this.#epoch));
  }

  async #core(): Promise<Core> {
    this.#opening ??= openCore(this.#given);
    const opening = this.#opening;
    try {
      const { core } = await opening;
      if (this.#opening === opening) this.#isConnected = true;
      return core;
    } catch (cause) {
      if (this.#opening === opening) this.#opening = undefined;
      throw new SdkError("Connection", cause instanceof Error ? cause.message : String(cause), { cause });
    }
  }
}

async function openCore(given: string | Store): Promise<Opened> {
  const store = typeof given === "string" ? await openStore(given) : given;
  const core = createCore({ store });
  core.start();
  return {
    core,
    async close() {
      await core.close();
      if (store !== given) await store.close();
    },
  };
}

/** `serverCode`: what a server would put before its refusal. */
async function called<Response>(serverCode: string, call: (answer: Answer<Response>) => void): Promise<Response> {
  try {
    return await answered(call);
  } catch (error) {
    if (error instanceof CoreError) throw SdkError.server(serverCode, error.message, error);
    throw new SdkError("Internal", String(error), { cause: error });
  }
}
