import { isProtocolError, ProtocolError } from "@runtara/protocol";
import { SourceError } from "../../ports/source-error.ts";
import {
  type CheckpointAnswer,
  type EventKind,
  InstanceCalls,
  type StatusAnswer,
  type WireCustomSignal,
  type WireSignal,
} from "../../wire/calls.ts";
import type { SignalType } from "../../wire/words.ts";
import { reconnectDelayMs } from "../back-off.ts";
import type { Link } from "../link.ts";
import { sourceError } from "../remote/failures.ts";

/** The calls of one instance over the base protocol, repeated until they are carried out. A refusal is looked into: a core that can't write
 *  is asked again, an instance that was given up as lost registers again, one that is over or gone ends the run. All methods fail with
 *  SourceError: FENCED, ENDED, UNKNOWN, CLOSED. */
export class InstanceLink {
  readonly instanceId: string;
  readonly tenantId: string;
  readonly #link: Link;
  readonly #calls: InstanceCalls;
  #registering: Promise<void> | undefined;

  constructor(link: Link, instanceId: string, tenantId: string) {
    this.#link = link;
    this.instanceId = instanceId;
    this.tenantId = tenantId;
    this.#calls = new InstanceCalls(instanceId, () => {
      const connection = link.connectionNow;
      if (connection) return connection;
      throw new ProtocolError("CONNECTION_LOST", "the core is away");
    });
  }

  status(): Promise<StatusAnswer> {
    return this.#persist((calls) => calls.status());
  }

  /** The server's refusal, or undefined when registered. */
  register(): Promise<string | undefined> {
    return this.#persist((calls) => calls.register(this.tenantId));
  }

  checkpoint(id: string, state: Uint8Array): Promise<CheckpointAnswer> {
    return this.#untilCarriedOut((calls) => calls.checkpoint(id, state));
  }

  getCheckpoint(id: string): Promise<Uint8Array | undefined> {
    return this.#untilCarriedOut((calls) => calls.getCheckpoint(id), false);
  }

  async event(kind: EventKind, payload?: Uint8Array, subtype?: string): Promise<void> {
    await this.#untilCarriedOut((calls) => calls.event(kind, payload, subtype), false);
  }

  /** Resolves when the core has taken it. */
  retryAttempt(id: string, attempt: number, error: string): Promise<void> {
    return this.#persist((calls) => calls.retryAttempt(id, attempt, error));
  }

  acknowledge(type: SignalType): Promise<void> {
    return this.#persist((calls) => calls.acknowledge(type, true));
  }

  /** One try; a failure is of no consequence. */
  heartbeat(): void {
    if (this.#link.isClosed) return;
    try {
      this.#calls.event("heartbeat").catch(() => {});
    } catch {
      // The core is away.
    }
  }

  /** Asks once for cancel and pause and, with a name, for what was sent to it, which is taken off by that. Nothing while the core is away. */
  async poll(name?: string): Promise<{ signal: WireSignal | undefined; customSignal: WireCustomSignal | undefined }> {
    try {
      return await this.#calls.pollSignals(name);
    } catch {
      return { signal: undefined, customSignal: undefined };
    }
  }

  /** Waits, unless the link is closed meanwhile: CLOSED. */
  async pause(delayMs: number): Promise<void> {
    try {
      await this.#link.pause(delayMs);
    } catch (closed) {
      throw sourceError(closed);
    }
  }

  async #persist<T>(call: (calls: InstanceCalls) => Promise<T>): Promise<T> {
    try {
      return await this.#link.persist(() => call(this.#calls));
    } catch (failure) {
      throw this.#link.isClosed ? new SourceError("CLOSED", "the connection to the core has been closed") : failure;
    }
  }

  async #untilCarriedOut<T>(call: (calls: InstanceCalls) => Promise<T>, needsRunning = true): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#persist(call);
      } catch (error) {
        if (!isProtocolError(error) || error.code !== "RPC" || error.fineCode === "FENCED") throw sourceError(error);
        await this.#lookInto(error, needsRunning);
        await this.pause(reconnectDelayMs(attempt, Math.random()));
      }
    }
  }

  /** Why the core refused. Returns when trying again makes sense. */
  async #lookInto(cause: Error, needsRunning: boolean): Promise<void> {
    const { status } = await this.status();
    if (status === "unknown") {
      const text = `the core does not know instance ${this.instanceId} any more; was its database replaced?`;
      throw new SourceError("UNKNOWN", text, { cause });
    }
    if (!needsRunning || status === "running") return;
    if (status !== "suspended" && status !== "pending") throw new SourceError("ENDED", `the instance is ${status}`);
    await this.#registerAgain();
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
