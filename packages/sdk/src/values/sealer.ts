import { ConfigError, UnreadableValueError, ValueTooLargeError } from "../errors.ts";
import { limits } from "../limits.ts";
import { after } from "./after.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import type { Codec, CodecContext, Sealed, Sealer } from "./codec-port.ts";
import { thrownText } from "./thrown-text.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The first codec writes, all read. @throws ConfigError for a name that can't be used, or that two have */
export function createSealer(codecs: readonly Codec[] = []): Sealer {
  const byName = new Map<string, Codec>();
  for (const codec of codecs) {
    checkName(codec.name);
    if (byName.has(codec.name)) throw new ConfigError(`two codecs have the name ${JSON.stringify(codec.name)}`);
    byName.set(codec.name, codec);
  }
  const [writer] = codecs;
  return {
    isPlain: writer === undefined,
    seal: (text, at) => (writer ? seal(writer, text, at) : { is: "plain", text }),
    open: (sealed, at) => (sealed.is === "plain" ? sealed.text : open(byName, sealed, at)),
  };
}

function checkName(name: string): void {
  if (typeof name === "string" && /^[\w.:+-]{1,64}$/.test(name)) return;
  throw new ConfigError(
    `the codec name ${JSON.stringify(name)} can't be used; a name is 1 to 64 of A-Z a-z 0-9 _ . : + -`,
  );
}

function seal(codec: Codec, text: string, at: CodecContext): Sealed | Promise<Sealed> {
  const plain = encoder.encode(text);
  const failed = (cause: unknown): never => {
    throw new ConfigError(`the codec ${codec.name} can't encode ${placeOf(at)}: ${thrownText(cause)}`, { cause });
  };
  const coded = attempt(() => bytesOf(codec.encode(plain, at)), failed);
  return after(coded, (bytes): Sealed => {
    if (bytes === plain) return { is: "plain", text };
    const data = toBase64(bytes);
    if (data.length <= limits.valueBytesMax - limits.envelopeBytesReserved) {
      return { is: "coded", enc: codec.name, data };
    }
    throw new ValueTooLargeError(
      `${placeOf(at)} has ${data.length} bytes when the codec ${codec.name} has been at it; the limit is ${limits.valueBytesMax}. Store it elsewhere and return a reference.`,
    );
  });
}

function open(
  byName: ReadonlyMap<string, Codec>,
  { enc, data }: { readonly enc: string; readonly data: string },
  at: CodecContext,
): string | Promise<string> {
  const codec = byName.get(enc);
  if (!codec) {
    throw new UnreadableValueError(
      `${placeOf(at)} was written by the codec ${JSON.stringify(enc)}, which is not among the codecs of this process`,
    );
  }
  const failed = (cause: unknown): never => {
    throw new UnreadableValueError(`the codec ${enc} can't decode ${placeOf(at)}: ${thrownText(cause)}`, { cause });
  };
  const coded = fromBase64(data);
  if (!coded) return failed(new TypeError("its data is no base64"));
  const plain = attempt(() => bytesOf(codec.decode(coded, at)), failed);
  return after(plain, (bytes) => attempt(() => decoder.decode(bytes), failed));
}

/** What a codec answered, as bytes or a native promise of them. @throws TypeError */
function bytesOf(answer: unknown): Uint8Array | Promise<Uint8Array> {
  if (answer instanceof Uint8Array) return answer;
  if (typeof (answer as { then?: unknown } | null | undefined)?.then === "function") {
    return Promise.resolve(answer).then(bytesOf);
  }
  throw new TypeError("it gave no Uint8Array");
}

/** Calls a codec; whether it throws or rejects, `failed` says so in our words. */
function attempt<T>(call: () => T | Promise<T>, failed: (cause: unknown) => never): T | Promise<T> {
  try {
    const result = call();
    return result instanceof Promise ? result.catch(failed) : result;
  } catch (cause) {
    return failed(cause);
  }
}

function placeOf({ instanceId, id }: CodecContext): string {
  return `${id} of ${id === "!schedule" ? "schedule" : "instance"} ${instanceId}`;
}
