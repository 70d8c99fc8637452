import { QuicError } from "@runtara/quic";
import { formatAddress } from "../../address.ts";
import { limits } from "../../limits.ts";
import type {
  BindOptions,
  DialOptions,
  Transport,
  TransportConnection,
  TransportHandlers,
  TransportListener,
} from "../port.ts";
import { MemoryListener } from "./listener.ts";
import { deliver } from "./pipe.ts";

/**
 * A network of its own within this process, for tests: give the same one to servers and clients. Frames, their limits,
 * stream limits, back-pressure, aborts and close codes are those of QUIC; everything arrives in a later macrotask. There
 * is no TLS (names are not looked at, and a client's certificate is believed), nothing is lost and no connection times out.
 */
export function memoryTransport(): Transport {
  return new MemoryTransport();
}

class MemoryTransport implements Transport {
  readonly name = "memory";
  readonly #listeners = new Map<string, MemoryListener>();
  #lastPort: number = limits.memoryPortMin;

  async dial(options: DialOptions): Promise<TransportConnection> {
    await new Promise<void>(deliver);
    if (options.signal?.aborted === true) {
      throw new QuicError("CALL_ABORTED", "the attempt to connect was aborted", { cause: options.signal.reason });
    }
    const address = formatAddress(options);
    const listener = this.#listeners.get(address);
    if (listener === undefined) throw new QuicError("CONNECT_FAILED", `nobody listens on ${address} in memory`);
    const clientAddress = formatAddress({ host: options.host, port: this.#freePort(options.host) });
    return listener.accept(clientAddress, options);
  }

  listen(options: BindOptions, handlers: TransportHandlers): Promise<TransportListener> {
    const port = options.port === 0 ? this.#freePort(options.host) : options.port;
    const address = formatAddress({ host: options.host, port });
    if (this.#listeners.has(address)) {
      return Promise.reject(new QuicError("BIND_FAILED", `${address} is in use; choose another port, or 0`));
    }
    const listener = new MemoryListener(options, port, handlers, () => this.#listeners.delete(address));
    this.#listeners.set(address, listener);
    return Promise.resolve(listener);
  }

  #freePort(host: string): number {
    do {
      this.#lastPort = this.#lastPort < limits.portMax ? this.#lastPort + 1 : limits.memoryPortMin;
    } while (this.#listeners.has(formatAddress({ host, port: this.#lastPort })));
    return this.#lastPort;
  }
}
