import type { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { isProtocolError, parseAddress, QuicClient } from "@runtara/protocol";
import { certificateOf, type Shown, type ShownCertificate } from "./shown-file.ts";

/** How long each way to a server may take. */
const timeoutMs = 5_000;
const chainMax = 10;

/**
 * What a server shows to whom connects now, over QUIC and TCP at once. TCP (the server listens there with RUNTARA_HTTP2=1)
 * brings the whole chain, QUIC the server's own certificate; of a server that demands one of its clients, the fingerprint.
 *
 * @throws Error: neither way gets there
 */
export async function shownServer(address: string): Promise<Shown> {
  const [quic, tcp] = await Promise.allSettled([overQuic(address), certificatesOverTcp(address)]);
  if (quic.status === "rejected" && tcp.status === "rejected") {
    const reasons = `QUIC: ${reasonOf(quic.reason)}; TCP: ${reasonOf(tcp.reason)}`;
    throw new Error(`no server answers at ${address} (${reasons}); start one with: runtara core`, {
      cause: quic.reason,
    });
  }
  const { fingerprint, certificate } = quic.status === "fulfilled" ? quic.value : {};
  const certificates = tcp.status === "fulfilled" ? tcp.value : [];
  const isSame = fingerprint !== undefined && certificates[0]?.fingerprint === fingerprint;
  if (isSame) return { source: address, via: "QUIC and TCP", certificates };
  // Something else may listen on that TCP port: what QUIC shows is what Runtara's clients see.
  if (certificate !== undefined) return { source: address, via: "QUIC", certificates: [certificate] };
  if (fingerprint !== undefined) return { source: address, via: "QUIC", certificates: [], fingerprint };
  return { source: address, via: "TCP", certificates };
}

interface ShownOverQuic {
  readonly fingerprint?: string;
  readonly certificate?: ShownCertificate | undefined;
}

async function overQuic(serverAddr: string): Promise<ShownOverQuic> {
  const fingerprint = await fingerprintOverQuic(serverAddr);
  return { fingerprint, certificate: await certificateOverQuic(serverAddr, fingerprint) };
}

/** Connects to the holder of the certificate that was shown a moment ago; undefined if it does not let us in. */
async function certificateOverQuic(
  serverAddr: string,
  serverFingerprint: string,
): Promise<ShownCertificate | undefined> {
  const client = new QuicClient({ serverAddr, serverFingerprint, connectTimeoutMs: timeoutMs });
  try {
    const { peerCertificate } = await client.connect();
    return peerCertificate && certificateOf(peerCertificate.certPem, serverAddr);
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  } finally {
    await client.close();
  }
}

/** Pins a certificate that cannot exist, so that the refusal tells the one that is shown and nothing is ever sent. */
async function fingerprintOverQuic(serverAddr: string): Promise<string> {
  const client = new QuicClient({ serverAddr, serverFingerprint: "0".repeat(64), connectTimeoutMs: timeoutMs });
  try {
    await client.connect();
    throw new Error("the server shows a certificate that cannot exist");
  } catch (error) {
    const shown = isProtocolError(error) ? /SHA-256 ([0-9a-f]{64})/.exec(error.message)?.[1] : undefined;
    if (shown === undefined) throw error;
    return shown;
  } finally {
    await client.close();
  }
}

function certificatesOverTcp(address: string): Promise<ShownCertificate[]> {
  const { host, port } = parseAddress(address);
  return new Promise((resolve, reject) => {
    // Nothing is verified or sent: this only looks.
    const socket = connect({ host, port, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
    const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    socket.once("error", reject);
    socket.once("close", () => {
      clearTimeout(timer);
      reject(new Error("the connection was closed"));
    });
    socket.once("secureConnect", () => {
      resolve(chainOf(socket.getPeerX509Certificate()).map((one) => certificateOf(one.toString(), address)));
      socket.destroy();
    });
  });
}

function chainOf(first: X509Certificate | undefined): X509Certificate[] {
  const chain: X509Certificate[] = [];
  for (let one = first; one !== undefined && chain.length < chainMax; one = one.issuerCertificate) {
    // A self-signed certificate is its own issuer.
    if (chain.at(-1)?.fingerprint256 === one.fingerprint256) break;
    chain.push(one);
  }
  return chain;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
