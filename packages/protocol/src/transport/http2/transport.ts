import type {
  BindOptions,
  DialOptions,
  Transport,
  TransportConnection,
  TransportHandlers,
  TransportListener,
} from "../port.ts";
import { serverPair } from "../server-pair.ts";

/**
 * HTTP/2 with TLS 1.3 over TCP, for networks that block UDP and for machines without the addon: only Node's own modules,
 * so a server needs a certificate from files unless the addon is there to make one. Calls, limits, back-pressure, close
 * codes and errors are those of QUIC; one lost packet holds up all calls of a connection, addresses cannot change under
 * it, and reset codes have 31 bits. `resetKey` means nothing here: TCP itself tells of a restart.
 */
export const http2Transport: Transport = {
  name: "http2",
  // Loaded on first use: Node's HTTP/2 takes time and memory, and most never use it.
  async dial(options: DialOptions): Promise<TransportConnection> {
    const { dial } = await import("./dial.ts");
    return dial(options);
  },
  async listen(options: BindOptions, handlers: TransportHandlers): Promise<TransportListener> {
    const { Http2Listener } = await import("./listener.ts");
    const listener = new Http2Listener(options, serverPair(options.certificate), handlers);
    await listener.bind();
    return listener;
  },
};
