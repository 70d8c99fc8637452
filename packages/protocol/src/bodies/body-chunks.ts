import type { TransportStream } from "../transport/port.ts";
import { CheckedReader, type ReadBodyOptions } from "./checked-reader.ts";

/** The raw bytes of a stream, to be iterated once. */
export interface BodyChunks extends AsyncIterableIterator<Uint8Array> {
  /** Bytes read so far; all of them once it has ended. */
  readonly bytes: number;
  /** Lower-case hex, if asked for, once it has ended. */
  readonly sha256: string | undefined;
}

/**
 * `readableBody` without a Web stream and without a copy: the way for large uploads. A chunk may be a view of a buffer
 * that it shares with other chunks, so do not transfer its buffer. Leaving the loop early tells the peer to stop writing.
 *
 * @throws ProtocolError as `readableBody` does, and from `next` what its reads reject with.
 */
export function bodyChunks(stream: Pick<TransportStream, "read" | "stop">, options: ReadBodyOptions = {}): BodyChunks {
  const reader = new CheckedReader(stream, options, () => {});
  return {
    get bytes() {
      return reader.tally.bytes;
    },
    get sha256() {
      return reader.tally.sha256;
    },
    async next() {
      const value = await reader.next();
      return value === undefined ? { done: true, value } : { done: false, value };
    },
    return() {
      reader.cancel();
      return Promise.resolve({ done: true, value: undefined });
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
