import { isProtocolError } from "@runtara/protocol";
import { NotFoundError, type RuntaraError } from "../errors.ts";
import type { CheckpointAnswer, EventKind, InstanceCalls, StatusAnswer } from "../wire/calls.ts";
import type { SignalType, Status } from "../wire/words.ts";
import { reconnectDelayMs } from "./back-off.ts";
import type { Link } from "./link.ts";

/** The instance has reached its end by other hands: nothing can be saved any more. */
export class InstanceEnded extends Error {
  override readonly name = "InstanceEnded";
  readonly status: Status;
  constructor(status: Status) {
    super(`the instance is ${status}`);
    this.status = status;
  }
}

/** The calls of one instance, repeated until they are carried out. A refusal is looked into: a core that can't write is asked again, an
 *  instance that was given up as lost registers again, one that is over or gone ends the run. */
export class InstanceLink {
  readonly instanceId: string;
  readonly #link: Link;
  readonly #tenantId: string;
  readonly #onSignal: (type: SignalType) => void;
  #registering: Promise<void> | undefined;

  constructor(link: Link, tenantId: string, onSignal: (type: SignalType) => void) {
    this.#link = link;
    this.instanceId = link.calls.instanceId;
    this.#tenantId = tenantId;
    this.#onSignal = onSignal;
  }

  status(): Promise<StatusAnswer> {
    return this.#link.persist((calls) => calls.status());
  }

  /** The server's refusal, or undefined when registered. */
  register(): Promise<string | undefined> {
    return this.#link.persist((calls) => calls.register(this.#tenantId));
  }

  /** @throws InstanceEnded, NotFoundError, LinkClosed */
  async checkpoint(id: string, state: Uint8Array): Promise<CheckpointAnswer> {
    const answer = await this.#untilCarriedOut((calls) => calls.checkpoint(id, state));
    if (answer.signal) this.#onSignal(answer.signal.type);
    return answer;
  }

  /** @throws NotFoundError, LinkClosed */
  getCheckpoint(id: string): Promise<Uint8Array | undefined> {
    return this.#untilCarriedOut((calls) => calls.getCheckpoint(id), false);
  }

  /** @throws InstanceEnded, NotFoundError, LinkClosed */
  async event(kind: EventKind, payload?: Uint8Array, subtype?: string): Promise<void> {
    await this.#untilCarriedOut((calls) => calls.event(kind, payload, subtype), false);
  }

  acknowledge(type: SignalType): Promise<void> {
    return this.#link.persist((calls) => calls.acknowledge(type, true));
  }

  /** One try; failures are of no consequence. */
  attempt(call: (calls: InstanceCalls) => Promise<unknown>): void {
    if (this.#link.isClosed) return;
    try {
      call(this.#link.calls).catch(() => {});
    } catch {
      // The core is away.
    }
  }

  /** Asks for cancel and pause, once. */
  async pollSignals(): Promise<void> {
    const { signal } = await this.#link.calls.pollSignals();
    if (signal) this.#onSignal(signal.type);
  }

  async #untilCarriedOut<T>(call: (calls: InstanceCalls) => Promise<T>, needsRunning = true): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#link.persist(call);
      } catch (error) {
        if (!isProtocolError(error) || error.code !== "RPC") throw error;
        await this.#lookInto(error, needsRunning);
        await this.#link.pause(reconnectDelayMs(attempt, Math.random()));
      }
    }
  }

  /** Why the core refused. Returns when trying again makes sense. */
  async #lookInto(refusal: Error, needsRunning: boolean): Promise<void> {
    const { status } = await this.status();
    if (status === "unknown") throw goneError(this.instanceId, refusal);
    if (!needsRunning || status === "running") return;
    if (status === "suspended" || status === "pending") await this.#registerAgain();
    else throw new InstanceEnded(status);
  }

  /** One registration for all calls that were refused. */
  #registerAgain(): Promise<void> {
    this.#registering ??= this.register()
      .then(() => undefined)
      .finally(() => {
        this.#registering = undefined;
      });
    return this.#registering;
  }
}

function goneError(instanceId: string, cause: Error): RuntaraError {
  return new NotFoundError(`the core does not know instance ${instanceId} any more; was its database replaced?`, {
    cause,
  });
}
