import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";

// Initial packets of QUIC version 1, opened and sealed (RFC 9001 section 5): their keys follow from what anybody sees,
// so an attacker can make as many first packets as they like.

const salt = Buffer.from("38762cf7f55934b34d179ae6a4c80cadccbb7f0a", "hex");
const tagBytes = 16;

interface Keys {
  readonly key: Buffer;
  readonly iv: Buffer;
  readonly mask: Buffer;
}

/** The first packet of a datagram, taken apart. */
export interface InitialPacket {
  /** From the first byte to the end of the destination's connection id; what follows up to the packet number. */
  readonly destination: Buffer;
  readonly source: Buffer;
  readonly token: Buffer;
  readonly packetNumber: Buffer;
  readonly frames: Buffer;
}

/** What a client's first datagram says. It must hold one Initial packet, alone or first. */
export function openInitial(datagram: Buffer): InitialPacket {
  let at = 5;
  const take = (length: number): Buffer => {
    at += length;
    return datagram.subarray(at - length, at);
  };
  const destination = take(take(1).readUInt8());
  const source = take(take(1).readUInt8());
  // RFC 9000 section 16; lengths in a datagram have one or two bytes that count.
  const varint = (): number => {
    const bytes = take(1 << (datagram.readUInt8(at) >> 6));
    return bytes.length === 1 ? bytes.readUInt8() & 0x3f : bytes.readUIntBE(bytes.length - 2, 2) & 0x3fff;
  };
  const token = take(varint());
  const length = varint();
  const keys = clientKeys(destination);
  const mask = headerMask(keys, datagram.subarray(at + 4, at + 20));
  const first = datagram.readUInt8() ^ ((mask[0] ?? 0) & 0x0f);
  const numberBytes = (first & 3) + 1;
  const packetNumber = Buffer.from(datagram.subarray(at, at + numberBytes).map((byte, i) => byte ^ (mask[i + 1] ?? 0)));
  const header = Buffer.concat([Buffer.of(first), datagram.subarray(1, at), packetNumber]);
  const sealed = datagram.subarray(at + numberBytes, at + length);
  const decipher = createDecipheriv("aes-128-gcm", keys.key, nonce(keys, packetNumber));
  decipher.setAAD(header);
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  const frames = Buffer.concat([decipher.update(sealed.subarray(0, -tagBytes)), decipher.final()]);
  return { destination, source, token, packetNumber, frames };
}

/** The datagram of `packet`, valid in every respect. */
export function sealInitial({ destination, source, token, packetNumber, frames }: InitialPacket): Buffer {
  const keys = clientKeys(destination);
  const length = packetNumber.length + frames.length + tagBytes;
  const first = 0xc0 | (packetNumber.length - 1);
  const header = Buffer.concat([
    Buffer.of(first, 0, 0, 0, 1, destination.length),
    destination,
    Buffer.of(source.length),
    source,
    twoByteVarint(token.length),
    token,
    twoByteVarint(length),
    packetNumber,
  ]);
  const cipher = createCipheriv("aes-128-gcm", keys.key, nonce(keys, packetNumber));
  cipher.setAAD(header);
  const sealed = Buffer.concat([cipher.update(frames), cipher.final(), cipher.getAuthTag()]);
  const datagram = Buffer.concat([header, sealed]);
  const numberAt = header.length - packetNumber.length;
  const mask = headerMask(keys, datagram.subarray(numberAt + 4, numberAt + 20));
  datagram[0] = first ^ ((mask[0] ?? 0) & 0x0f);
  for (let i = 0; i < packetNumber.length; i++) {
    datagram[numberAt + i] = (datagram[numberAt + i] ?? 0) ^ (mask[i + 1] ?? 0);
  }
  return datagram;
}

function clientKeys(destination: Buffer): Keys {
  const initial = createHmac("sha256", salt).update(destination).digest();
  const secret = expand(initial, "client in", 32);
  return {
    key: expand(secret, "quic key", 16),
    iv: expand(secret, "quic iv", 12),
    mask: expand(secret, "quic hp", 16),
  };
}

/** HKDF-Expand-Label of TLS 1.3 for at most 32 bytes. */
function expand(secret: Buffer, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.of(0, length, name.length), name, Buffer.of(0, 1)]);
  return createHmac("sha256", secret).update(info).digest().subarray(0, length);
}

function nonce({ iv }: Keys, packetNumber: Buffer): Buffer {
  const padded = Buffer.concat([Buffer.alloc(iv.length - packetNumber.length), packetNumber]);
  return Buffer.from(iv.map((byte, i) => byte ^ (padded[i] ?? 0)));
}

function headerMask({ mask }: Keys, sample: Buffer): Buffer {
  return createCipheriv("aes-128-ecb", mask, null).update(sample);
}

function twoByteVarint(value: number): Buffer {
  return Buffer.of(0x40 | (value >> 8), value & 0xff);
}
