import { ConfigError } from "../errors.ts";
import type { Codec, CodecContext } from "../values/codec-port.ts";

const nonceBytes = 12;
const utf8 = new TextEncoder();

/** Encryption with AES-256 in Galois counter mode (NIST SP 800-38D), by WebCrypto. `keys`: 32 bytes each, by a name that starts with a letter; the first
 *  encrypts, all decrypt. So a key is changed by putting a new one in front; an old one has to stay for as long as anything is stored under it.
 *
 *  Tenant, instance and checkpoint id are bound in: a value that is moved elsewhere in the database can't be read. The nonce is made from key,
 *  place and value (HMAC-SHA-256), so the same value at the same place gives the same bytes and a repeated start is known as equal; that is all
 *  that somebody without the key can tell.
 *  @returns one codec for each key, for `codecs: aesGcm({ k2: newKey, k1: oldKey })`
 *  @throws ConfigError for a key or a name that can't be used */
export function aesGcm(keys: Readonly<Record<string, Uint8Array>>): readonly Codec[] {
  const codecs = Object.entries(keys).map(([name, key]) => codecOf(name, key));
  if (codecs.length === 0) throw new ConfigError("aesGcm: no key was given");
  return codecs;
}

function codecOf(name: string, key: Uint8Array): Codec {
  // Names that look like numbers would be moved to the front by JavaScript.
  if (!/^[A-Za-z][\w.-]{0,31}$/.test(name)) {
    throw new ConfigError(
      `aesGcm: the key name ${JSON.stringify(name)} can't be used; a name is a letter and up to 31 of A-Z a-z 0-9 _ . -`,
    );
  }
  if (!(key instanceof Uint8Array) || key.byteLength !== 32) {
    throw new ConfigError(`aesGcm: the key ${name} must be a Uint8Array of 32 bytes`);
  }
  // Derived on first use, then shared: a promise each.
  const secret = key.slice();
  let derived: Promise<Keys> | undefined;
  const keysOf = (): Promise<Keys> => {
    derived ??= derive(secret);
    return derived;
  };
  return {
    name: `aes-256-gcm:${name}`,
    async encode(plain, at) {
      const { forValues, forNonces } = await keysOf();
      const additionalData = placeOf(at);
      const digest = await crypto.subtle.sign("HMAC", forNonces, joined(additionalData, plain));
      const iv = new Uint8Array(digest, 0, nonceBytes);
      const coded = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, forValues, owned(plain));
      return joined(iv, new Uint8Array(coded));
    },
    async decode(coded, at) {
      const { forValues } = await keysOf();
      const iv = owned(coded.subarray(0, nonceBytes));
      const algorithm = { name: "AES-GCM", iv, additionalData: placeOf(at) };
      return new Uint8Array(await crypto.subtle.decrypt(algorithm, forValues, owned(coded.subarray(nonceBytes))));
    },
  };
}

type WebKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;
interface Keys {
  readonly forValues: WebKey;
  readonly forNonces: WebKey;
}

/** Two keys of one (HKDF, RFC 5869), so that what makes nonces never meets what encrypts. */
async function derive(secret: Uint8Array<ArrayBuffer>): Promise<Keys> {
  const root = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  const hkdf = (info: string) => ({
    name: "HKDF",
    hash: "SHA-256",
    salt: new Uint8Array(0),
    info: utf8.encode(info),
  });
  const aes = { name: "AES-GCM", length: 256 };
  const hmac = { name: "HMAC", hash: "SHA-256", length: 256 };
  const [forValues, forNonces] = await Promise.all([
    crypto.subtle.deriveKey(hkdf("runtara values"), root, aes, false, ["encrypt", "decrypt"]),
    crypto.subtle.deriveKey(hkdf("runtara nonces"), root, hmac, false, ["sign"]),
  ]);
  return { forValues, forNonces };
}

/** The place as bytes. JSON, so that no two places have the same ones; its last bracket ends it. */
function placeOf({ tenantId, instanceId, id }: CodecContext): Uint8Array<ArrayBuffer> {
  return utf8.encode(JSON.stringify([tenantId, instanceId, id]));
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(first.byteLength + second.byteLength);
  bytes.set(first);
  bytes.set(second, first.byteLength);
  return bytes;
}

/** The bytes in memory that nobody shares, as WebCrypto wants them. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : bytes.slice();
}
