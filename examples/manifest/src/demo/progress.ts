// Follows the ledger while it grows.
import { closeSync, openSync, readSync } from "node:fs";
import { finished, type LedgerLine, parseLedger } from "../ledger.ts";

/** Reads what was appended to a ledger since the last look. */
export class LedgerTail implements Disposable {
  readonly lines: LedgerLine[] = [];
  readonly done: Set<number> = new Set();
  readonly #fd: number;
  readonly #chunk: Buffer = Buffer.allocUnsafe(64 << 10);
  #offset = 0;
  #rest = "";

  constructor(file: string) {
    this.#fd = openSync(file, "a+");
  }

  look(): void {
    for (;;) {
      const bytes = readSync(this.#fd, this.#chunk, 0, this.#chunk.length, this.#offset);
      if (bytes === 0) return;
      this.#offset += bytes;
      const text = this.#rest + this.#chunk.toString("latin1", 0, bytes);
      const end = text.lastIndexOf("\n") + 1;
      this.#rest = text.slice(end);
      const fresh = parseLedger(text.slice(0, end));
      this.lines.push(...fresh);
      for (const batch of finished(fresh)) this.done.add(batch);
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
