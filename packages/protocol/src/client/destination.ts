import { type Address, formatAddress } from "../address.ts";
import { isProtocolError, ProtocolError } from "../errors.ts";

const networks: Readonly<Record<string, { readonly shown: string; readonly remedy: string }>> = {
  quic: {
    shown: "over QUIC (UDP)",
    remedy: 'is a server there, does a firewall block UDP? transport: "auto" tries HTTP/2 as well',
  },
  http2: {
    shown: "over HTTP/2 (TCP)",
    remedy: "is a server there that listens with HTTP/2, does a firewall block TCP?",
  },
  auto: {
    shown: "over QUIC (UDP) and HTTP/2 (TCP)",
    remedy: "is a server there, does a firewall block both?",
  },
  memory: { shown: "in memory", remedy: "does a server listen there on the same memoryTransport()?" },
};

/** For errors: where a client connects to and by which network, and what to look at if it can't. `ip`: behind a name. */
export function destination(server: Address, transportName: string, ip: string = server.host): string {
  const { shown, remedy } = networks[transportName] ?? { shown: `over ${transportName}`, remedy: "is a server there?" };
  const named = formatAddress(server);
  return `${ip === server.host ? named : `${named} (${ip})`} ${shown}: ${remedy}`;
}

/** A failure to connect that says where to, and keeps how the original's text begins (spec 1.12). Others are as they were. */
export function dialFailure(failure: unknown, connectTimeoutMs: number, where: string): unknown {
  if (!isProtocolError(failure)) return failure;
  const { code, message, cause } = failure;
  if (code === "CONNECT_TIMEOUT") {
    // Without a time-out of ours it is the idle time-out that has ended it.
    const when = connectTimeoutMs > 0 ? `connection timed out after ${connectTimeoutMs}ms` : message;
    return new ProtocolError(code, `${when} to ${where}`, { cause });
  }
  if (code === "CONNECT_FAILED") return new ProtocolError(code, `${message}; no connection to ${where}`, { cause });
  return failure;
}
