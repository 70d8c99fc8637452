import { ProtocolError } from "../errors.ts";
import { limits } from "../limits.ts";

/** Where the bytes of a body may come from. Each is read once; a chunk must not change until the next one is asked for. */
export type BodySource = Uint8Array | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/** A body as it is read piece by piece. */
export interface BodyReader {
  /** At most `bodyPieceBytesMax` bytes, as a view; undefined at the end. */
  next(): Promise<Uint8Array | undefined>;
  /** Nothing more is wanted; nothing to do after the end. Streams hear of it at once, iterators when they have delivered what they are at. */
  cancel(reason: unknown): void;
}

/** @throws ProtocolError ENCODE_FAILED, from `next` for chunks that are no bytes. */
export function readPieces(body: BodySource): BodyReader {
  if (body instanceof Uint8Array) return new PieceReader(oneChunk(body));
  if (body instanceof Blob) return new PieceReader(streamChunks(body.stream()));
  if (body instanceof ReadableStream) return new PieceReader(streamChunks(body));
  if (typeof body?.[Symbol.asyncIterator] === "function") return new PieceReader(iteratorChunks(body));
  throw new ProtocolError("ENCODE_FAILED", "a body is a Uint8Array, Blob, ReadableStream or AsyncIterable of bytes");
}

/** @throws ProtocolError ENCODE_FAILED */
export function checkChunk(chunk: unknown): asserts chunk is Uint8Array {
  if (chunk instanceof Uint8Array) return;
  const what = typeof chunk === "object" ? Object.prototype.toString.call(chunk) : typeof chunk;
  throw new ProtocolError("ENCODE_FAILED", `the chunks of a body must be Uint8Array, got ${what}`);
}

/** `bytes` in views of at most `bodyPieceBytesMax`. */
export function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += limits.bodyPieceBytesMax) {
    yield bytes.subarray(start, start + limits.bodyPieceBytesMax);
  }
}

interface Chunks {
  next(): Promise<unknown>;
  cancel(reason: unknown): void;
}

class PieceReader implements BodyReader {
  readonly #chunks: Chunks;
  /** What is left of a chunk that is larger than a piece. */
  #slices: Generator<Uint8Array> | undefined;
  #isOver = false;

  constructor(chunks: Chunks) {
    this.#chunks = chunks;
  }

  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const slice = this.#slices?.next();
      if (slice?.done === false) return slice.value;
      const chunk = await this.#chunks.next();
      if (chunk === undefined) {
        this.#isOver = true;
        return undefined;
      }
      checkChunk(chunk);
      this.#slices = slices(chunk);
    }
  }

  cancel(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#slices = undefined;
    this.#chunks.cancel(reason);
  }
}

function oneChunk(bytes: Uint8Array): Chunks {
  let left: Uint8Array | undefined = bytes;
  return {
    next() {
      const chunk = left;
      left = undefined;
      return Promise.resolve(chunk);
    },
    cancel: () => {},
  };
}

function streamChunks(stream: ReadableStream<Uint8Array>): Chunks {
  const reader = stream.getReader();
  return {
    next: async () => (await reader.read()).value,
    // What its source says to that is the source's business.
    cancel: (reason) => void reader.cancel(reason).catch(() => {}),
  };
}

function iteratorChunks(body: AsyncIterable<Uint8Array>): Chunks {
  const iterator = body[Symbol.asyncIterator]();
  return {
    async next() {
      const { done, value } = await iterator.next();
      return done === true ? undefined : value;
    },
    cancel: () => void Promise.resolve(iterator.return?.()).catch(() => {}),
  };
}
