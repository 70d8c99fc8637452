import type { QuicClient, RequestMessage } from "@runtara/protocol";
import { limits } from "../../limits.ts";
import type { LeaseKeeper } from "../../ports/source.ts";
import type { Link } from "../link.ts";

type Keeper = ReturnType<QuicClient["keepLease"]>;

/** Has the network's own threads renew the lease while the event loop is busy, over whichever connection the link has. */
export class LinkKeeper implements LeaseKeeper {
  readonly #link: Link;
  readonly #renewal: RequestMessage;
  readonly #leaseMs: number;
  readonly #unsubscribe: () => void;
  #keeper: Keeper | undefined;

  constructor(link: Link, renewal: RequestMessage, leaseMs: number) {
    this.#link = link;
    this.#renewal = renewal;
    this.#leaseMs = leaseMs;
    this.#attach();
    this.#unsubscribe = link.onReconnected(() => this.#attach());
  }

  sign(): void {
    this.#keeper?.sign();
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    this.#keeper?.end();
  }

  #attach(): void {
    this.#keeper?.end();
    const third = Math.ceil(this.#leaseMs / 3);
    const times = { everyMs: third, quietMs: third, stopMs: limits.leaseGoneMs };
    this.#keeper = this.#link.clientNow?.keepLease(this.#renewal, times);
    this.#keeper?.sign();
  }
}
