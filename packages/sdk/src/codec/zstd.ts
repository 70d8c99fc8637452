import { limits } from "../limits.ts";
import type { Codec } from "../values/codec-port.ts";

/** What this file needs of node:zlib. */
interface Zlib {
  zstdCompress: AsyncCall;
  zstdDecompress: AsyncCall;
}
type AsyncCall = (
  bytes: Uint8Array,
  options: { readonly maxOutputLength?: number },
  done: (error: Error | null, result: Uint8Array) => void,
) => void;

/** A few bytes that somebody sends must not become gigabytes. */
const bounded = { maxOutputLength: limits.openedBytesMax };

/** Compression with Zstandard (RFC 8878) in threads of node:zlib, which is loaded on first use. Values of fewer than `above` bytes
 *  (default 65,536), and those that don't get smaller, stay as they are, so that they can be read without this codec.
 *  Node 22.15 or later. @throws ConfigError from the runtime when there is no zstd here */
export function zstd({ above = 65_536 }: { above?: number } = {}): Codec {
  return {
    name: "zstd",
    async encode(plain) {
      if (plain.byteLength < above) return plain;
      const coded = await called("zstdCompress", plain, {});
      // Base64 takes a third on top.
      return coded.byteLength * 4 < plain.byteLength * 3 ? coded : plain;
    },
    decode: (coded) => called("zstdDecompress", coded, bounded),
  };
}

async function called(call: keyof Zlib, bytes: Uint8Array, options: Parameters<AsyncCall>[1]): Promise<Uint8Array> {
  const zlib = (await import("node:zlib")) as unknown as Partial<Zlib>;
  const work = zlib[call];
  if (!work) throw new Error("this Node has no zstd; it came with 22.15");
  return new Promise((resolve, reject) => {
    work(bytes, options, (error, result) => (error ? reject(error) : resolve(result)));
  });
}
