import { type CertificatePair, QuicError } from "@runtara/quic";
import { limits } from "../limits.ts";
import type { BindOptions, Transport, TransportHandlers, TransportListener, TransportStats } from "./port.ts";
import { serverPair } from "./server-pair.ts";

/**
 * Two transports on one port number, such as `quicTransport` on UDP and `http2Transport` on TCP, as one: a server of
 * both. Connections of either get the same handlers, under ids that are unique among all; both show one certificate.
 * Without the QUIC addon the second listens alone, and `onWarning` (default: a process warning) is told. Dialling uses
 * the first.
 */
export function alongside(
  first: Transport,
  second: Transport,
  onWarning: (text: string) => void = (text) => process.emitWarning(text, { code: "RUNTARA_TRANSPORT" }),
): Transport {
  return {
    name: `${first.name}+${second.name}`,
    dial: (options) => first.dial(options),
    listen(options, handlers) {
      const pair = serverPair(options.certificate);
      return listenBoth(first, second, { ...options, certificate: pair }, handlers, pair, onWarning);
    },
  };
}

async function listenBoth(
  first: Transport,
  second: Transport,
  options: BindOptions,
  handlers: TransportHandlers,
  pair: CertificatePair,
  onWarning: (text: string) => void,
): Promise<TransportListener> {
  for (let tries = 1; ; tries++) {
    let one: TransportListener;
    try {
      one = await first.listen(options, handlers);
    } catch (error) {
      if (!isCode(error, "ADDON_MISSING")) throw error;
      onWarning(`listening over ${second.name} only: ${error.message}`);
      return await second.listen(options, handlers);
    }
    const { port } = one;
    try {
      const connectionIdsFrom = limits.secondConnectionIdsFrom;
      return new BothListener(one, await second.listen({ ...options, port, connectionIdsFrom }, handlers), pair);
    } catch (error) {
      await one.close();
      // The free port of the first was not free for the second.
      if (options.port !== 0 || !isCode(error, "BIND_FAILED") || tries >= limits.portTriesMax) throw error;
    }
  }
}

class BothListener implements TransportListener {
  readonly #first: TransportListener;
  readonly #second: TransportListener;
  #pair: CertificatePair;

  constructor(first: TransportListener, second: TransportListener, pair: CertificatePair) {
    this.#first = first;
    this.#second = second;
    this.#pair = pair;
  }

  get host(): string {
    return this.#first.host;
  }

  get port(): number {
    return this.#first.port;
  }

  get certificatePem(): string {
    return this.#first.certificatePem;
  }

  setCertificate(certificate: CertificatePair): void {
    this.#first.setCertificate(certificate);
    try {
      this.#second.setCertificate(certificate);
    } catch (error) {
      this.#first.setCertificate(this.#pair);
      throw error;
    }
    this.#pair = certificate;
  }

  async close(code = 0, reason = ""): Promise<void> {
    await Promise.all([this.#first.close(code, reason), this.#second.close(code, reason)]);
  }

  ref(): void {
    this.#first.ref();
    this.#second.ref();
  }

  unref(): void {
    this.#first.unref();
    this.#second.unref();
  }

  stats(): TransportStats {
    const one = this.#first.stats();
    const other = this.#second.stats();
    return {
      connections: one.connections + other.connections,
      openCalls: one.openCalls + other.openCalls,
      openStreams: one.openStreams + other.openStreams,
      callsReceived: one.callsReceived + other.callsReceived,
      udpReceiveBufferBytes: one.udpReceiveBufferBytes + other.udpReceiveBufferBytes,
      udpSendBufferBytes: one.udpSendBufferBytes + other.udpSendBufferBytes,
      connectionsRefused: (one.connectionsRefused ?? 0) + (other.connectionsRefused ?? 0),
      answersRefused: (one.answersRefused ?? 0) + (other.answersRefused ?? 0),
      connectionsShed: (one.connectionsShed ?? 0) + (other.connectionsShed ?? 0),
    };
  }
}

function isCode(error: unknown, code: QuicError["code"]): error is QuicError {
  return error instanceof QuicError && error.code === code;
}
