export interface CodecContext {
  readonly tenantId: string;
  readonly instanceId: string;
  /** Checkpoint id; `!input`, `!output`, `!failure`, `!signal:NAME`, `!published:KEY`, `!event:SUBTYPE` for what is none. The input of a
   *  schedule has `!schedule`, and the schedule's id for an instance id. */
  readonly id: string;
}

/** Turns the bytes of a value into others and back: encryption, compression. Of the codecs of a runtime the first writes, all read, by
 *  `name`; so keys are changed by putting the new one in front. It may answer at once or with a promise. */
export interface Codec {
  /** Stored with each value. 1 to 64 of `A-Z a-z 0-9 _ . : + -`. */
  readonly name: string;
  /** The same value at the same place should give the same bytes: a start that is repeated is known by them. Answering the very array
   *  that was given leaves the value as readable as it is. */
  encode(plain: Uint8Array, at: CodecContext): Uint8Array | Promise<Uint8Array>;
  /** @throws whatever it likes; the value counts as unreadable then */
  decode(coded: Uint8Array, at: CodecContext): Uint8Array | Promise<Uint8Array>;
}

/** Stored text as it lies in an envelope: plain, or what a codec made of it. Without codecs nothing is awaited and nothing is copied. */
export type Sealed =
  | { readonly is: "plain"; readonly text: string }
  /** `enc`: the codec's name, which needs no escaping in JSON; `data`: base64. */
  | { readonly is: "coded"; readonly enc: string; readonly data: string };

/** The codecs of a runtime, behind two functions. Asynchronous only where a codec is. */
export interface Sealer {
  /** True without codecs: the caller keeps the text as it is. */
  readonly isPlain: boolean;
  /** @throws ValueTooLargeError; ConfigError when the codec fails, with its error as cause */
  seal(text: string, at: CodecContext): Sealed | Promise<Sealed>;
  /** @throws UnreadableValueError: no such codec here, or it failed */
  open(sealed: Sealed, at: CodecContext): string | Promise<string>;
}

/** Values outside entries (input, output, failure, payloads, published values): text, or `{"$rt":1,"enc":…,"data":…}`. */
export interface Wrapper {
  /** `what` begins the sentence of a refusal: `workflow "order" was started with`. Undefined gives no bytes.
   *  @throws UnstorableValueError, ValueTooLargeError, and like {@link Sealer.seal} */
  wrap(value: unknown, at: CodecContext, what: string): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** The same for stored text. */
  wrapText(text: string | undefined, at: CodecContext): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** What is no JSON text (a Rust client's bytes) comes as Uint8Array; nothing and no bytes as undefined; a promise where a codec makes one.
   *  @throws UnreadableValueError */
  unwrap(bytes: Uint8Array | null | undefined, at: CodecContext): unknown;
  /** The stored text alone, undefined for what is none. */
  unwrapText(bytes: Uint8Array | null | undefined, at: CodecContext): string | undefined | Promise<string | undefined>;
}
