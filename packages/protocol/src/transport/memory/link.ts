import { type ConnectionClosed, neverSent } from "@runtara/quic";
import { closedError } from "../closed.ts";
import { deliver, Pipe } from "./pipe.ts";
import { MemoryStream } from "./stream.ts";

export type End = "client" | "server";
type Streams = { readonly client: MemoryStream; readonly server: MemoryStream };

/** What both ends of a connection share: its streams, how many there may be, and how it ended for either end. */
export class Link {
  readonly ended: Record<End, ConnectionClosed | undefined> = { client: undefined, server: undefined };
  readonly #onEnd: Record<End, (why: ConnectionClosed) => void>;
  readonly #onStream: (stream: MemoryStream) => void;
  readonly #streamsMax: number;
  readonly #streams = new Set<Streams>();
  readonly #waiting: PromiseWithResolvers<MemoryStream>[] = [];

  constructor(
    streamsMax: number,
    onStream: (stream: MemoryStream) => void,
    onEnd: Record<End, (why: ConnectionClosed) => void>,
  ) {
    this.#streamsMax = streamsMax;
    this.#onStream = onStream;
    this.#onEnd = onEnd;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  /** A stream, as soon as the server allows one more. */
  openStream(): Promise<MemoryStream> {
    const { client: why } = this.ended;
    if (why !== undefined) return Promise.reject(neverSent(closedError(why)));
    if (this.#streams.size < this.#streamsMax) return Promise.resolve(this.#open());
    const waiting = Promise.withResolvers<MemoryStream>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  /** Closes it at once for `end`, and for the other end a macrotask later. */
  close(end: End, code: number, reason: string): Promise<void> {
    if (this.ended[end] !== undefined) return Promise.resolve();
    this.#end(end, { by: "local", code: BigInt(code), reason });
    const told = Promise.withResolvers<void>();
    deliver(() => {
      this.#end(end === "client" ? "server" : "client", { by: "peer", code: BigInt(code), reason });
      told.resolve();
    });
    return told.promise;
  }

  #open(): MemoryStream {
    const up = new Pipe();
    const down = new Pipe();
    const streams = { client: new MemoryStream(up, down), server: new MemoryStream(down, up) };
    this.#streams.add(streams);
    let openPipes = 2;
    const onOver = (): void => {
      openPipes--;
      if (openPipes === 0) this.#release(streams);
    };
    up.onOver = onOver;
    down.onOver = onOver;
    this.#onStream(streams.server);
    return streams.client;
  }

  #release(streams: Streams): void {
    this.#streams.delete(streams);
    const next = this.ended.client === undefined ? this.#waiting.shift() : undefined;
    next?.resolve(this.#open());
  }

  #end(end: End, why: ConnectionClosed): void {
    if (this.ended[end] !== undefined) return;
    this.ended[end] = why;
    const error = closedError(why);
    for (const streams of [...this.#streams]) {
      streams[end].incoming.failReader(error);
      streams[end].outgoing.failWriter(error);
    }
    if (end === "client") for (const waiting of this.#waiting.splice(0)) waiting.reject(neverSent(error));
    this.#onEnd[end](why);
  }
}
