import type { RunHost } from "../host.ts";
import { Operation } from "../operation.ts";
import type { Source } from "../source.ts";

/** A place in changed code that a live run passes first: stored, so that every replay takes the new way, too. */
export class PatchOperation extends Operation {
  readonly isWait = false;
  readonly #host: RunHost;

  constructor(host: RunHost, id: string, name: string, source: Source) {
    super(id, "patch", name, source);
    this.#host = host;
  }

  start(): void {
    this.#host.complete(this, "value", "true", true);
  }
}
