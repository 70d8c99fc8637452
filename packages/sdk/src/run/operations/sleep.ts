import type { Wait } from "../../api/step.ts";
import type { RunHost } from "../host.ts";
import { Operation } from "../operation.ts";
import type { Source } from "../source.ts";
import { waitOf } from "./wait.ts";

/** A sleep: nothing is written when it starts, one entry when it is due. */
export class SleepOperation extends Operation {
  readonly isWait = true;
  readonly #host: RunHost;
  readonly #dueAt: number;
  #disarm: (() => void) | undefined;

  constructor(host: RunHost, id: string, name: string, source: Source, dueAt: number) {
    super(id, "sleep", name, source);
    this.#host = host;
    this.#dueAt = dueAt;
  }

  start(): void {
    this.#disarm = this.#host.timers.set(this.#dueAt, () => this.#host.complete(this, "value", undefined, undefined));
  }

  override withdraw(reason: string): void {
    this.#disarm?.();
    super.withdraw(reason);
  }

  asWait(): Wait<void> {
    return waitOf(this, this.#host, `sleep ${JSON.stringify(this.name)}`);
  }
}
