import { type Core, coreLimits } from "@runtara/core";
import type { Store } from "@runtara/store";
import type { Clock } from "../ports/clock.ts";
import type {
  ClaimAnswer,
  ClaimedWork,
  ClaimRequest,
  InstanceSession,
  InstanceSignals,
  LeaseKeeper,
  OpenPoll,
  ReleasedWork,
  WaitSignalsRequest,
  WorkSource,
} from "../ports/source.ts";
import { asked, polled } from "./calls.ts";
import { closedError } from "./core-failures.ts";
import { LocalSession } from "./local-session.ts";

export interface LocalSourceOptions {
  /** Started and closed by its owner. */
  readonly core: Core;
  /** The one that `core` works on. */
  readonly store: Store;
  readonly workerId: string;
  readonly tenantId: string;
  readonly leaseMs: number;
  /** Makes what renews the lease in place of a busy event loop. Absent, or without a result: nobody does. */
  readonly keeper?: ((workerId: string, leaseMs: number) => LeaseKeeper | undefined) | undefined;
}

/** Work out of a store, through core's services in this process: no connection, no message, nothing copied. */
export class LocalSource implements WorkSource {
  readonly workerId: string;
  readonly tenantId: string;
  readonly clock: Clock;
  readonly #options: LocalSourceOptions;
  /** Stands for this runtime where the server has its connection. */
  readonly #connection = {};
  #closed = false;

  constructor(options: LocalSourceOptions) {
    this.#options = options;
    this.workerId = options.workerId;
    this.tenantId = options.tenantId;
    this.clock = monotone(options.core.clock);
  }

  claim(request: ClaimRequest): OpenPoll<ClaimAnswer> {
    const { workerId, tenantId } = this;
    const { core, leaseMs } = this.#options;
    return polled((answer) => {
      if (!this.#closed) return core.work.claim(this.#connection, { ...request, workerId, tenantId, leaseMs }, answer);
      throw closedError();
    });
  }

  async renew(leaseMs: number): Promise<{ readonly lost: readonly string[] }> {
    const { workerId } = this;
    return asked((answer) => this.#options.core.work.renew({ workerId, leaseMs }, answer));
  }

  async release(work: readonly ReleasedWork[]): Promise<void> {
    const { workerId } = this;
    const released: Promise<void>[] = [];
    for (let from = 0; from < work.length; from += coreLimits.releasedMax) {
      const some = work.slice(from, from + coreLimits.releasedMax);
      released.push(asked((answer) => this.#options.core.work.release({ workerId, work: some }, answer)));
    }
    await Promise.all(released);
  }

  waitSignals(request: WaitSignalsRequest): OpenPoll<readonly InstanceSignals[]> {
    return polled((answer) => {
      if (!this.#closed) return this.#options.core.waiter.wait(this.#connection, request, answer);
      throw closedError();
    });
  }

  session(work: ClaimedWork): InstanceSession {
    return new LocalSession(this.#options.core, work);
  }

  keeper(leaseMs: number): LeaseKeeper | undefined {
    return this.#options.keeper?.(this.workerId, leaseMs);
  }

  flush(): void {
    this.#options.store.flush();
  }

  /** There is no connection that could be lost. */
  onReconnected(): () => void {
    return () => {};
  }

  /** Open polls are not answered any more. Core and store stay as they are. */
  async close(): Promise<void> {
    this.#closed = true;
    const { core, store } = this.#options;
    core.work.forget(this.#connection);
    core.waiter.forget(this.#connection);
    store.flush();
  }
}

/** Never earlier than it has said before, whoever sets the machine's clock back. */
function monotone(clock: Clock): Clock {
  let last = Number.NEGATIVE_INFINITY;
  return {
    now: () => {
      last = Math.max(last, clock.now());
      return last;
    },
    after: (delayMs, action) => clock.after(delayMs, action),
  };
}
