import type { TransportStream } from "../port.ts";
import type { Pipe } from "./pipe.ts";

/** One end of a stream: writes into one pipe, reads from the other. */
export class MemoryStream implements TransportStream {
  readonly outgoing: Pipe;
  readonly incoming: Pipe;

  constructor(outgoing: Pipe, incoming: Pipe) {
    this.outgoing = outgoing;
    this.incoming = incoming;
  }

  read(): Promise<Uint8Array | undefined> {
    return this.incoming.read();
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.outgoing.write(bytes);
  }

  finish(): Promise<void> {
    return this.outgoing.finish();
  }

  reset(code: number): void {
    this.outgoing.reset(code);
  }

  stop(code: number): void {
    this.incoming.stop(code);
  }
}
