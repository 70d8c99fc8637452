import assert from "node:assert/strict";
import { createCipheriv, createDecipheriv, createHmac, X509Certificate } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { connect, generateSelfSigned, listen } from "./index.ts";
import { dial, echo, failure, serve } from "./peers.test.helper.ts";

const none = new Uint8Array(0);
const base = { host: "127.0.0.1", serverName: "localhost", connectTimeoutMs: 10_000 } as const;

test("a generated certificate is self-signed ECDSA P-256 for its names", () => {
  const { certPem, keyPem } = generateSelfSigned({ names: ["localhost", "127.0.0.1"] });
  const certificate = new X509Certificate(certPem);
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
  assert.equal(certificate.subjectAltName, "DNS:localhost, IP Address:127.0.0.1");
  assert.ok(certificate.verify(certificate.publicKey));
  assert.match(keyPem, /BEGIN PRIVATE KEY/);
  assert.throws(() => generateSelfSigned({ names: ["bad name\u{e9}"] }), { code: "CERTIFICATE_INVALID" });
});

test("a client that has the server's certificate verifies it, by name and by address", async (t) => {
  const listener = await serve(t);
  const verify = { caPem: listener.certificatePem };
  for (const serverName of ["localhost", "127.0.0.1"]) {
    const client = await dial(t, listener, { verify, serverName });
    assert.equal((await client.call(1, none)).payload.length, 0);
  }
});

test("a wrong name, an unknown authority and the public roots all refuse a self-signed certificate", async (t) => {
  const { port } = await serve(t);
  const listener = await serve(t);
  const right = { caPem: listener.certificatePem };
  const wrongName = await failure(
    connect({ ...base, port: listener.port, verify: right, serverName: "example.org" }),
    "TLS_NAME_MISMATCH",
  );
  assert.match(wrongName.message, /localhost.*set serverName/);
  await failure(connect({ ...base, port, verify: right }), "TLS_CERTIFICATE_UNKNOWN");
  await failure(connect({ ...base, port, verify: "roots" }), "TLS_CERTIFICATE_UNKNOWN");
});

test("skip accepts any certificate and any name", async (t) => {
  const listener = await serve(t, {}, { certificate: generateSelfSigned({ names: ["elsewhere.example"] }) });
  for (const serverName of ["localhost", "unrelated.example", "10.1.2.3", "::1"]) {
    const client = await dial(t, listener, { verify: "skip", serverName });
    assert.equal((await client.call(1, none)).payload.length, 0);
  }
});

test("names and certificates that cannot be used", async (t) => {
  const { port } = await serve(t);
  for (const serverName of ["", "two words", "-"]) {
    await failure(connect({ ...base, port, verify: "skip", serverName }), "SERVER_NAME_INVALID");
  }
  await failure(connect({ ...base, port, verify: { caPem: "no PEM" } }), "CERTIFICATE_INVALID");
  const [one, other] = [generateSelfSigned(), generateSelfSigned()];
  const pairs = [
    { certPem: "", keyPem: one.keyPem },
    { certPem: one.certPem, keyPem: "" },
    { certPem: one.certPem, keyPem: other.keyPem },
  ];
  for (const certificate of pairs) {
    await failure(listen({ host: "127.0.0.1", port: 0, certificate }, { onCall: echo }), "CERTIFICATE_INVALID");
  }
});

test("the client's hello offers TLS 1.3 only and no ALPN", async (t) => {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  t.after(() => socket.close());
  const attempt = connect({ ...base, port: socket.address().port, verify: "skip", connectTimeoutMs: 500 });
  const [datagram] = (await once(socket, "message")) as [Buffer];
  await failure(attempt, "CONNECT_TIMEOUT");
  const extensions = helloExtensions(decryptInitial(datagram));
  const [serverName, alpn, versions] = [0, 16, 43].map((type) => extensions.get(type));
  assert.match(serverName?.toString("latin1") ?? "", /localhost/);
  assert.equal(alpn, undefined);
  assert.equal(versions?.toString("hex"), "020304");
});

/** The CRYPTO bytes of a client's first packet (RFC 9001 section 5.2). */
function decryptInitial(packet: Buffer): Buffer {
  const connectionIdBytes = packet[5] as number;
  const connectionId = packet.subarray(6, 6 + connectionIdBytes);
  let at = 6 + connectionIdBytes;
  at += 1 + (packet[at] as number);
  const [tokenBytes, afterToken] = varint(packet, at);
  const [length, packetNumberAt] = varint(packet, afterToken + tokenBytes);
  const salt = Buffer.from("38762cf7f55934b34d179ae6a4c80cadccbb7f0a", "hex");
  const initial = createHmac("sha256", salt).update(connectionId).digest();
  const secret = expandLabel(initial, "client in", 32);
  const sample = packet.subarray(packetNumberAt + 4, packetNumberAt + 20);
  const bits = encryptBlock(expandLabel(secret, "quic hp", 16), sample);
  const header = Buffer.from(packet.subarray(0, packetNumberAt + 4));
  header[0] = (header[0] as number) ^ ((bits[0] as number) & 0x0f);
  const packetNumberBytes = ((header[0] as number) & 3) + 1;
  for (let i = 0; i < packetNumberBytes; i++) {
    header[packetNumberAt + i] = (header[packetNumberAt + i] as number) ^ (bits[1 + i] as number);
  }
  const nonce = Buffer.from(expandLabel(secret, "quic iv", 12));
  for (let i = 0; i < packetNumberBytes; i++) {
    const place = 12 - packetNumberBytes + i;
    nonce[place] = (nonce[place] as number) ^ (header[packetNumberAt + i] as number);
  }
  const body = packet.subarray(packetNumberAt + packetNumberBytes, packetNumberAt + length);
  const decipher = createDecipheriv("aes-128-gcm", expandLabel(secret, "quic key", 16), nonce);
  decipher.setAAD(header.subarray(0, packetNumberAt + packetNumberBytes));
  decipher.setAuthTag(body.subarray(-16));
  const frames = Buffer.concat([decipher.update(body.subarray(0, -16)), decipher.final()]);
  let frame = 0;
  while (frames[frame] !== 6) frame++;
  const [offset, afterOffset] = varint(frames, frame + 1);
  assert.equal(offset, 0);
  const [bytes, start] = varint(frames, afterOffset);
  return frames.subarray(start, start + bytes);
}

function varint(from: Buffer, at: number): [value: number, next: number] {
  const bytes = 1 << ((from[at] as number) >> 6);
  let value = (from[at] as number) & 0x3f;
  for (let i = 1; i < bytes; i++) value = value * 256 + (from[at + i] as number);
  return [value, at + bytes];
}

/** HKDF-Expand-Label without a context (RFC 8446 section 7.1). */
function expandLabel(secret: Buffer, label: string, bytes: number): Buffer {
  const name = `tls13 ${label}`;
  const info = Buffer.concat([Buffer.from([0, bytes, name.length]), Buffer.from(name), Buffer.from([0, 1])]);
  return createHmac("sha256", secret).update(info).digest().subarray(0, bytes);
}

function encryptBlock(key: Buffer, block: Buffer): Buffer {
  const cipher = createCipheriv("aes-128-ecb", key, null);
  cipher.setAutoPadding(false);
  return cipher.update(block);
}

/** The extensions of a ClientHello by type (RFC 8446 section 4.1.2). */
function helloExtensions(hello: Buffer): Map<number, Buffer> {
  assert.equal(hello[0], 1, "a ClientHello");
  let at = 4 + 2 + 32;
  at += 1 + (hello[at] as number);
  at += 2 + hello.readUInt16BE(at);
  at += 1 + (hello[at] as number);
  const end = at + 2 + hello.readUInt16BE(at);
  const found = new Map<number, Buffer>();
  for (at += 2; at < end; at += 4 + hello.readUInt16BE(at + 2)) {
    found.set(hello.readUInt16BE(at), hello.subarray(at + 4, at + 4 + hello.readUInt16BE(at + 2)));
  }
  return found;
}
